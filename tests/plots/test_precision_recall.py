import numpy as np

from vidattn.plots.precision_recall import plot_precision_recall


def test_each_class_has_its_line_from_the_surest_on_and_its_area_in_the_legend():
    curves = {"jump": (np.array([0.5, 1.0]), np.array([1.0, 0.5])), "run $x$": (np.array([0.2]), np.array([0.9]))}
    figure = plot_precision_recall(curves, {"jump": 0.6, "run $x$": 0.8, "sit": float("nan")}, "test")
    (axes,) = figure.axes

    assert [line.get_label() for line in axes.lines] == ["run $x$ 80.0%", "jump 60.0%"]
    assert axes.lines[1].get_xdata().tolist() == [0, 0.5, 1]
    assert axes.lines[1].get_ydata().tolist() == [1, 1, 0.5]
    figure.draw_without_rendering()


def test_a_legend_holds_twenty_and_no_curve_is_a_picture_too():
    names = [f"class {number}" for number in range(25)]
    figure = plot_precision_recall(dict.fromkeys(names, (np.ones(1), np.ones(1))), dict.fromkeys(names, 0.5), "test")
    legend = figure.axes[0].get_legend()
    assert len(legend.get_texts()) == 20
    assert "5 more" in legend.get_title().get_text()
    plot_precision_recall({"a": (np.ones(1), np.ones(1))}, {"a": float("nan")}, "none").draw_without_rendering()
