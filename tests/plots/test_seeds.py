import pytest
from drawn_text import check_text

from vidattn.plots.seeds import Line, plot_seeds


def test_every_run_and_the_mean_with_its_interval_are_drawn():
    lines = {"space": Line([0.1, 0.2]), "joint": Line([0.8, 0.9], 0.2)}
    figure = plot_seeds({"motion": lines}, "title", {"motion": 0.125})
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.get_yticklabels()] == ["space", "joint"]
    rings = [line for line in axes.lines if line.get_marker() == "o"]
    assert [list(ring.get_xdata()) for ring in rings] == [pytest.approx([10, 20]), pytest.approx([80, 90])]
    (bar,) = axes.containers[1].lines[2]
    assert bar.get_segments()[0][:, 0].tolist() == pytest.approx([65, 105])
    assert list(axes.lines[-1].get_xdata()) == [12.5, 12.5]  # chance


@pytest.mark.parametrize("scores", [[0.1], [0.99, 1.0], [0.125, 0.5]])
def test_no_text_is_cut_or_over_other_text(scores):
    lines = {f"{name}\n12.5 MMACs": Line(scores, 0.9) for name in ("space", "time+width+height", "space|time", "joint")}
    for panels in ({"motion": lines}, {"motion": lines, "appearance, 240 test videos": dict([*lines.items()][:1])}):
        check_text(plot_seeds(panels, "video top-1; ring: a run; square: mean", dict.fromkeys(panels, 0.125)))
