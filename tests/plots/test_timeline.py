import numpy as np
from matplotlib.colors import to_rgba

from vidattn.plots.timeline import plot_timeline


def test_pictures_segments_and_curves_share_the_time_axis():
    seconds = np.array([1.0, 3.0, 5.0])
    curves = {"run": np.array([0.9, 0.2, 0.1]), "jump": np.array([0.1, 0.7, 0.2])}
    segments = [(0.0, 2.0, "run", 0.9), (2.0, 4.0, "jump", 0.7), (4.0, 6.0, "other", 0.7)]
    pictures = np.zeros((3, 8, 8, 3), np.uint8)

    strip, bar, axes = plot_timeline(seconds, curves, segments, pictures, [1.0, 3.0, 5.0], 6.0, "clip.mp4").axes

    assert len(strip.images) == 3
    assert [text.get_text() for text in strip.texts] == ["0:01.0", "0:03.0", "0:05.0"]
    spans = [(patch.get_x(), patch.get_x() + patch.get_width(), patch.get_facecolor()) for patch in bar.patches]
    assert spans == [(0, 2, to_rgba("C0")), (2, 4, to_rgba("C1")), (4, 6, to_rgba("0.7"))]
    run, jump = axes.lines
    assert run.get_xdata().tolist() == [0, 1, 3, 5, 6]
    assert run.get_ydata().tolist() == [0.9, 0.9, 0.2, 0.1, 0.1]
    assert jump.get_label() == "jump"
    assert strip.get_xlim() == axes.get_xlim() == (0, 6)
    assert [text.get_text() for text in axes.figure.legends[0].get_texts()] == ["run", "jump", "other classes"]


def test_long_names_are_cut_to_their_segment_and_small_chances_fill_the_axis():
    curves = {"a class with a very long name": np.array([0.01, 0.02])}
    segments = [(0.0, 0.05, "a class with a very long name", 0.02), (0.05, 0.2, "other", 0.01)]

    strip, bar, axes = plot_timeline(
        np.array([0.05, 0.1]), curves, segments, np.zeros((1, 8, 8, 3), np.uint8), [0.05], 0.2, ""
    ).axes

    assert [text.get_text() for text in bar.texts] == ["a class with a very l…", "other"]
    assert 0.02 < axes.get_ylim()[1] < 0.04
    assert strip.texts[0].get_text() == "0:00.050"
