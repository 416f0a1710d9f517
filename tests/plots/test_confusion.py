import numpy as np
import pytest

from vidattn.plots.confusion import plot_confusion


def test_each_row_is_in_shares_of_its_class():
    figure = plot_confusion(np.array([[3, 1], [0, 0]]), ["cat", "dog"], "two")
    axes = figure.axes[0]

    np.testing.assert_array_equal(axes.images[0].get_array(), [[0.75, 0.25], [0, 0]])
    assert {text.get_text(): text.get_position() for text in axes.texts} == {"75%": (0, 0), "25%": (1, 0)}
    assert [label.get_text() for label in axes.get_yticklabels()] == ["cat", "dog"]


@pytest.mark.parametrize(("classes", "named"), [(40, True), (41, False)])
def test_names_are_left_out_where_nobody_could_read_them(classes, named):
    figure = plot_confusion(np.eye(classes), [f"c{number}" for number in range(classes)], "many")

    assert ("c1" in [label.get_text() for label in figure.axes[0].get_yticklabels()]) == named
    assert bool(figure.axes[0].texts) == named


def test_names_that_no_font_could_draw_are_escaped():
    figure = plot_confusion(np.eye(2), ["bad\udcff", "two\nlines"], "odd")

    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["bad\\udcff", "two lines"]
