from vidattn.plots.pareto import Point, front, plot_pareto


def test_the_front_holds_what_nothing_cheaper_reaches():
    points = {"dear": Point(9, 0.9), "cheap": Point(1, 0.5), "beaten": Point(5, 0.5), "tie": Point(1, 0.4)}
    assert front(points) == ["cheap", "dear"]


def test_draws_every_candidate_with_its_name_and_interval():
    figure = plot_pareto({"motion": {"space": Point(1, 0.125, 0.02), "joint": Point(2, 0.9)}}, "MACs", "title",
                         {"motion": 0.125})  # fmt: skip
    (axes,) = figure.axes
    assert {text.get_text() for text in axes.texts} == {"space", "joint", "chance"}
    assert len(axes.containers) == 2
    (bar,) = axes.containers[0].lines[2]  # the interval's line
    assert bar.get_segments()[0][:, 1].tolist() == [10.5, 14.5]
