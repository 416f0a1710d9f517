import numpy as np

from vidattn.plots.reliability import plot_reliability


def test_bars_are_what_is_right_and_ticks_how_sure():
    counts, sure, right = np.array([0, 3, 5, 2]), np.array([np.nan, 0.3, 0.6, 0.9]), np.array([np.nan, 0.4, 0.6, 0.5])

    figure = plot_reliability({"before": (counts, sure, right), "after": (counts, sure, sure)})

    above, _, below, _ = figure.axes
    assert [round(bar.get_height()) for bar in above.patches] == [40, 60, 50]  # none for the empty bin
    np.testing.assert_allclose(above.lines[1].get_ydata(), [30, 60, 90])
    assert [bar.get_height() for bar in below.patches] == [0, 3, 5, 2]
    assert [axes.get_title() for axes in figure.axes[:2]] == ["before", "after"]
    figure.draw_without_rendering()
