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
