import numpy as np
from drawn_text import check_text
from matplotlib.colors import to_rgb

from vidattn.plots.reach import ITSELF, STEP_COLOURS, UNSEEN, plot_reach, plot_steps


def test_draws_one_named_picture_for_each_block():
    masks = {name: np.eye(5, dtype=bool) for name in ("a", "b", "c")}
    figure = plot_reach(masks, (2, 2), columns=2)
    drawn = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title() for axes in drawn] == ["a", "b", "c"]
    np.testing.assert_array_equal(drawn[1].images[0].get_array(), np.eye(5))


def test_a_scheme_is_a_strip_of_frames_with_a_colour_for_each_step():
    along, within = np.zeros((2, 3, 2, 2), bool)
    along[:, 0, 1] = within[1] = True
    figure = plot_steps({"time+space": [along, within], "joint": [np.ones((3, 2, 2), bool)]}, (1, 0, 1))
    check_text(figure)
    strip, whole = (axes.images[0].get_array() for axes in figure.axes)
    assert strip.shape == whole.shape == (24, 3 * 24 + 2 * 12, 3)
    frames = [strip[:, 36 * t : 36 * t + 24] for t in range(3)]
    middle = {(row, column): tuple(frames[1][12 * row + 6, 12 * column + 6]) for row in (0, 1) for column in (0, 1)}
    assert middle == {(0, 0): to_rgb(STEP_COLOURS[1]), (0, 1): to_rgb(ITSELF), (1, 0): to_rgb(STEP_COLOURS[1]),
                      (1, 1): to_rgb(STEP_COLOURS[1])}  # fmt: skip
    for frame in (frames[0], frames[2]):
        assert tuple(frame[6, 18]) == to_rgb(STEP_COLOURS[0])
        assert tuple(frame[6, 6]) == tuple(frame[18, 18]) == to_rgb(UNSEEN)
