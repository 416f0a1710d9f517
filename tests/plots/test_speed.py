import pytest

from vidattn.plots.speed import plot_speed


def test_the_peak_is_a_line_of_constant_speed():
    figure = plot_speed({"joint": [(10, 50, 45, 60), (2, 8, 7, 9)], "space": [(1, 4, 4, 4)]}, 400, "title")
    (axes,) = figure.axes
    (peak,) = [line for line in axes.lines if line.get_label() == "matrix-multiply peak"]
    assert list(peak.get_xdata()) == [1, 10]
    assert list(peak.get_ydata()) == pytest.approx([2.5, 25])  # ms at 400 GMACs a second
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["matrix-multiply peak", "joint", "space"]
