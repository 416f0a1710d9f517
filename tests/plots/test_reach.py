import numpy as np

from vidattn.plots.reach import plot_reach


def test_draws_one_named_picture_for_each_block():
    masks = {name: np.eye(5, dtype=bool) for name in ("a", "b", "c")}
    figure = plot_reach(masks, (2, 2), columns=2)
    drawn = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title() for axes in drawn] == ["a", "b", "c"]
    np.testing.assert_array_equal(drawn[1].images[0].get_array(), np.eye(5))
