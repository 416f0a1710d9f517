import pytest

from vidattn.plots.sensitivity import plot_sensitivity

FOUND = {"int8": {"a.qkv": 0.004, "a.fc1": 0.001, "b.qkv": 0.0, "b.fc1": 0.002}}
FOUND["int4-weights"] = {name: 10 * value for name, value in FOUND["int8"].items()}


def test_each_layer_has_a_row_from_above_and_the_three_largest_are_filled():
    axes = plot_sensitivity(FOUND, "two kinds").axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == list(FOUND["int8"])
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    for kind, marks in zip(FOUND, axes.collections, strict=True):
        wanted = [max(value, 1e-9) for value in FOUND[kind].values()]
        assert marks.get_offsets()[:, 0].tolist() == pytest.approx(wanted)
        white = [tuple(colour[:3]) == (1, 1, 1) for colour in marks.get_facecolors()]
        assert white == [False, False, True, False]
