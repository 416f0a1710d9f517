from itertools import pairwise

import numpy as np
from drawn_text import check_text

from vidattn.plots.costs import plot_costs


def test_names_stand_beside_their_lines_and_do_not_overlap():
    lines = {name: {196: 1.0, 784: 4.0 + index / 100} for index, name in enumerate("abcd")} | {"e": {196: 5.0}}
    figure = plot_costs({"ms": lines}, "pixels", "title", highlight=["a", "b", "c", "e"])
    (axes,) = figure.axes
    heights = {text.get_text(): text.xy[1] for text in axes.texts}
    assert heights.keys() == {"a", "b", "c", "e"}
    assert heights["a"] * 1.01 < heights["b"] * 1.01 < heights["c"]
    assert axes.get_xscale() == axes.get_yscale() == "log"
    assert len(axes.lines) == 5


def test_the_name_of_a_line_that_ends_early_lies_over_no_other():
    lines = {"dear": {8: 1.0, 16: 40.0}, "cheap": {8: 1.0, 16: 36.0, 32: 116.0}}
    figure = plot_costs({"ms": lines}, "pixels", "title", ["dear", "cheap"])
    figure.draw_without_rendering()
    (axes,) = figure.axes
    (name,) = [text.get_window_extent() for text in axes.texts if text.get_text() == "dear"]
    for line in axes.lines:
        points = axes.transData.transform(line.get_xydata())
        for start, end in pairwise(points):
            assert not any(name.contains(*(start + share * (end - start))) for share in np.linspace(0, 1, 200))


def test_costs_within_a_decade_have_numbers_on_the_axis():
    figure = plot_costs({"GMACs": {"a": {8: 190.0, 16: 450.0}}}, "frames", "title", ["a"])
    figure.draw_without_rendering()
    (axes,) = figure.axes
    low, high = axes.get_ylim()
    ticks = [label.get_text() for label in axes.get_yticklabels() if low <= label.get_position()[1] <= high]
    assert len([text for text in ticks if text]) >= 2


def test_the_names_lie_within_the_frame():
    names = ["a_rather_long_name", *"bcdefghij"]
    lines = {name: {8: 1.0, 16: 2.0 + index / 1e6} for index, name in enumerate(names)}
    figure = plot_costs({"one": lines, "two": lines}, "frames", "title", names)
    figure.draw_without_rendering()
    for axes in figure.axes:
        frame = axes.get_window_extent()
        for text in axes.texts:
            place = text.get_window_extent()
            assert place.x1 < frame.x1
            assert place.y1 < frame.y1


def test_many_lines_have_a_legend_of_differing_styles():
    names = [f"scheme {index}" for index in range(40)]
    figure = plot_costs({"ms": {name: {8: 1.0, 16: 2.0} for name in names}}, "frames", "title", names)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == names
    (axes,) = figure.axes
    assert not axes.texts
    assert len({(line.get_color(), line.get_linestyle()) for line in axes.lines}) == 40


def test_a_size_is_marked_with_a_text_that_lies_over_no_other():
    lines = {"joint": {2: 36.0, 64: 3973.0}, "divided": {2: 49.0, 64: 1579.0}}
    for at in (4, 11, 50):
        marks = {"GMACs": (at, f"divided costs less\nfrom {at} frames")}
        figure = plot_costs({"GMACs": lines, "other": lines}, "frames", "title", [*lines], marks)
        check_text(figure)
        left, right = figure.axes
        assert [*left.lines[-1].get_xdata()] == [at, at]
        assert len(right.lines) == 2
