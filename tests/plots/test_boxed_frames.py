import numpy as np

from vidattn.plots.boxed_frames import BoxedFrame, plot_boxed_frames


def test_boxes_lie_where_they_are_said_and_say_what_they_are():
    picture = np.zeros((50, 100, 3), np.uint8)
    frames = [
        BoxedFrame(picture, "a.mp4, frame 3", np.array([[0.1, 0.2, 0.5, 1.0], [0.9, 0, 1.2, 1]]), ["jump", "$run"])
    ]
    figure = plot_boxed_frames([*frames, BoxedFrame(picture, "empty", np.empty((0, 4)), [])])

    first, second = figure.axes[:2]
    assert [patch.get_bbox().bounds for patch in first.patches] == [(10, 10, 40, 40), (90, 0, 30, 50)]
    assert [text.get_text() for text in first.texts] == ["jump", "$run"]
    assert not second.patches
    figure.draw_without_rendering()


def test_rows_hold_three_and_none_is_a_picture_too():
    frame = BoxedFrame(np.zeros((8, 8, 3), np.uint8), "a", np.empty((0, 4)), [])
    assert len(plot_boxed_frames([frame] * 4).axes) == 6
    plot_boxed_frames([]).draw_without_rendering()
