import pytest
from drawn_text import check_text

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


NEAR = {"space": Point(9.49, 0.9625), "divided": Point(12.53, 0.979), "joint": Point(9.83, 0.992),
        "space|time": Point(9.51, 0.9875), "a_rather_long_name": Point(15.48, 1.0)}  # fmt: skip


@pytest.mark.parametrize("set_of", [NEAR, {"divided": Point(12.5, 1.0, 0.1), "space": Point(9.5, 0.0)}])
def test_no_name_is_cut_or_over_another(set_of):
    check_text(plot_pareto({"motion": set_of, "appearance": set_of}, "GMACs", "accuracy against cost"))


def test_no_name_lies_over_a_point():
    figure = plot_pareto({"motion": NEAR}, "GMACs", "title")
    figure.draw_without_rendering()
    (axes,) = figure.axes
    for point in NEAR.values():
        x, y = axes.transData.transform((point.cost, 100 * point.accuracy))
        assert not any(text.get_window_extent().contains(x, y) for text in axes.texts)
