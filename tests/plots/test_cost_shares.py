from vidattn.plots.cost_shares import plot_cost_shares


def test_bars_are_stacked_and_say_the_share():
    parts = {"joint": {"MLP": 3.0, "scores": 1.0, "none": 0.0}, "space": {"MLP": 3.0, "scores": 0.0, "none": 0.0}}
    figure = plot_cost_shares({"8x224": parts}, "GMACs", "title", "scores")
    (axes,) = figure.axes
    assert [text.get_text().strip() for text in axes.texts] == ["25%", "0%"]
    mlp, scores = axes.containers  # a part that costs nothing anywhere is left out
    assert [bar.get_x() for bar in scores] == [bar.get_width() for bar in mlp] == [3, 3]
    assert [bar.get_width() for bar in scores] == [1, 0]


def test_the_share_of_the_longest_bar_lies_within_the_frame():
    bars = {"time+width+height": {"MLP": 0.0, "scores": 5.0}}
    figure = plot_cost_shares({"8x224": bars, "16x224": bars}, "GMACs", "title", "scores")
    figure.draw_without_rendering()
    for axes in figure.axes:
        (text,) = axes.texts
        assert text.get_window_extent().x1 < axes.get_window_extent().x1
