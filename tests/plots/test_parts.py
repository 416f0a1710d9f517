from vidattn.plots.parts import plot_parts


def test_bars_are_stacked_and_say_the_share():
    parts = {"joint": {"MLP": 3.0, "scores": 1.0, "none": 0.0}, "space": {"MLP": 3.0, "scores": 0.0, "none": 0.0}}
    figure = plot_parts({"8x224": parts}, "GMACs", "title", "scores")
    (axes,) = figure.axes
    assert [text.get_text().strip() for text in axes.texts] == ["25%", "0%"]
    mlp, scores = axes.containers  # a part that costs nothing anywhere is left out
    assert [bar.get_x() for bar in scores] == [bar.get_width() for bar in mlp] == [3, 3]
    assert [bar.get_width() for bar in scores] == [1, 0]
