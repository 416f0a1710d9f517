import numpy as np

from vidattn.plots.query_looks import LookRow, plot_query_looks


def test_each_point_stands_on_its_frame_and_shares_are_written_below():
    frames = np.full((3, 8, 8, 3), 200, np.uint8)
    points = np.array([[0.25, 0.5, 0], [0.5, 0.5, 2], [0.75, 0.5, 2]])
    row = LookRow("run 90%", {1: np.array([0.1, 0.2, 0.5, 0.9])}, points=points, weights=np.array([0.5, 0.2, 0.3]))
    heat = np.zeros((3, 2, 2))
    heat[1] = 0.25
    figure = plot_query_looks(frames, [row, LookRow("sit 10%", {}, shares=heat)], ["a", "b", "c"], "title", 2.0)

    drawn = figure.axes
    assert [axes.get_xlabel() for axes in drawn] == ["50%", "0%", "50%", "0%", "100%", "0%"]
    dots = [axes.collections[0].get_offsets() for axes in drawn[:3]]
    assert [len(one) for one in dots] == [1, 0, 2]
    assert sorted(dots[2][:, 0].tolist()) == [0.5, 0.75]
    assert [len(axes.patches) for axes in drawn] == [0, 1, 0, 0, 0, 0]
    assert [axes.get_title() for axes in drawn[:3]] == ["a", "b", "c"]
    assert [drawn[place].get_ylabel() for place in (0, 3)] == ["run 90%", "sit 10%"]
    assert not drawn[3].collections
