import pytest
import torch
from small_networks import logits, small_model

from vidattn.checkpoints.loading import load

WINDOW = "window(2,2,2)"


def changed(tmp_path, old="divided", saved=None, **changes):
    """A network with random weights, and what it becomes."""
    model = small_model(old, **(saved or {}))
    model.save_pretrained(tmp_path)
    return model.network, load(tmp_path, **changes)


def verdict(model):
    (line,) = [line for line in model.report if line.startswith("attention: ")]
    return line


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("divided", "joint"),
        ("joint", "divided"),
        ("joint", "space"),
        ("joint", WINDOW),
        ("joint", "joint+cbam"),
        ("divided", "space+time"),
        (WINDOW, "window(4,2,2)"),
        ("joint", "space>time(2)"),
        ("space>time(2)", "divided"),
        ("joint", "space|time"),
    ],
)
def test_where_the_network_must_compute_something_else_it_is_said(tmp_path, old, new):
    before, after = changed(tmp_path, old, attention=new)

    assert (logits(after.network) - logits(before)).abs().max() > 1e-5
    assert verdict(after) == f"attention: {old} -> {new}, computes something else at first: train it further"


def test_a_verdict_looks_at_all_that_changes(tmp_path):
    """Waves counted over a frame or over a clip, and tubelets of another length: not what it was."""
    before, after = changed(tmp_path, "space", saved={"position": "sine", "pooling": "mean"}, attention="divided")
    assert (logits(after.network) - logits(before)).abs().max() > 1e-3
    assert "computes something else at first" in verdict(after)

    before, after = changed(tmp_path, "joint", attention="time+joint", tubelet_size=2)
    assert (logits(after.network) - logits(before)).abs().max() > 1e-3
    assert "computes something else at first" in verdict(after)


@pytest.mark.parametrize(("old", "new"), [("all", "query_value"), ("query_value", "all"), ("none", "all")])
def test_biases_of_keys_make_no_difference(tmp_path, old, new):
    before, after = changed(tmp_path, "joint", saved={"qkv_bias": old}, qkv_bias=new)

    torch.testing.assert_close(logits(after.network), logits(before), atol=1e-5, rtol=1e-5)
