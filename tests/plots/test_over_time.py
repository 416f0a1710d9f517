import numpy as np
import pytest
from matplotlib.colors import to_rgba

from vidattn.plots.over_time import distinct_colours, plot_timeline


def test_pictures_segments_and_curves_share_the_time_axis():
    seconds = np.array([1.0, 3.0, 5.0])
    names = ["other", "jump", "run"]
    curves = {2: np.array([0.9, 0.2, 0.1]), 1: np.array([0.1, 0.7, 0.2])}
    segments = [(0.0, 2.0, 2), (2.0, 4.0, 1), (4.0, 6.0, 0)]
    pictures = np.zeros((3, 8, 8, 3), np.uint8)

    strip, bar, axes = plot_timeline(seconds, names, curves, segments, pictures, [1.0, 3.0, 5.0], 6.0, "clip.mp4").axes

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
    names = ["a class with a very long name", "other"]
    segments = [(0.0, 0.05, 0), (0.05, 0.2, 1)]

    strip, bar, axes = plot_timeline(
        np.array([0.05, 0.1]),
        names,
        {0: np.array([0.01, 0.02])},
        segments,
        np.zeros((1, 8, 8, 3), np.uint8),
        [0.05],
        0.2,
        "",
    ).axes

    assert [text.get_text() for text in bar.texts] == ["a class with a very l…", "other"]
    assert 0.02 < axes.get_ylim()[1] < 0.04
    assert strip.texts[0].get_text() == "0:00.050"


@pytest.mark.parametrize(
    ("duration", "ticks", "unit", "picture"),
    [
        (0.5, ["0:00.00", "0:00.05", "0:00.10"], "minutes:seconds", "0:00.167"),
        (14, ["0:00", "0:02", "0:04"], "minutes:seconds", "0:04.7"),
        (1800, ["0:00", "5:00", "10:00"], "minutes:seconds", "10:00"),
        (9000, ["0:00:00", "0:15:00", "0:30:00"], "hours:minutes:seconds", "0:50:00"),
    ],
)
def test_ticks_are_round_on_a_clock(duration, ticks, unit, picture):
    pictures, instants = np.zeros((3, 8, 8, 3), np.uint8), [0, duration / 3, 2 * duration / 3]

    strip, _, axes = plot_timeline(
        np.array([duration / 2]), ["run"], {0: np.ones(1)}, [(0, duration, 0)], pictures, instants, duration, ""
    ).axes

    axes.figure.draw_without_rendering()
    inside = [label.get_text() for at, label in zip(axes.get_xticks(), axes.get_xticklabels(), strict=True) if at >= 0]
    assert inside[:3] == ticks
    assert axes.get_xlabel() == unit
    assert strip.texts[1].get_text() == picture


@pytest.mark.parametrize("count", [10, 12, 20, 30])
def test_no_two_classes_share_a_colour(count):
    figure = plot_timeline(
        np.array([0.5]),
        [f"class {i}" for i in range(count)],
        {label: np.full(1, 1 / count) for label in range(count)},
        [(0.0, 1.0, 0)],
        np.zeros((1, 8, 8, 3), np.uint8),
        [0.5],
        1.0,
        "",
    )

    assert len({to_rgba(line.get_color()) for line in figure.axes[2].lines}) == count


def test_the_likeliest_keep_their_colours_whether_ten_are_drawn_or_twenty():
    assert distinct_colours(20)[:10] == distinct_colours(10)
