"""Timing side by side: which kernel ran, what the rows hold."""

from functools import partial

import pytest
import torch
import torch.nn.functional as F

from vidattn.attention.heads import two_products
from vidattn.bench.side_by_side import every_one_compiled, kernel, side_by_side
from vidattn.models.presets import build_network, preset

SMALL = {"depth": 1, "num_frames": 2, "image_size": 64, "embed_dim": 64, "num_heads": 2}


@pytest.mark.parametrize(
    ("run", "name"),
    [(F.scaled_dot_product_attention, "fused"), (two_products, "two products"), (torch.add, "no softmax")],
)
def test_the_kernel_that_ran_is_named(run, name):
    operands = torch.randn(3, 1, 2, 8, 16).unbind()
    assert kernel(partial(run, *operands[: 2 if run is torch.add else 3])) == name


def test_rows_hold_times_work_and_memory():
    configs = [preset("Ti", attention=scheme, **SMALL) for scheme in ("joint", "divided")]
    first, second = side_by_side(configs, batch_size=2, rounds=2, training=True)

    assert (first["attention"], second["attention"]) == ("joint", "divided")
    assert first["time_ratio"] == 1
    for row, config in zip((first, second), configs, strict=True):
        assert 0 < row["fastest"] <= row["milliseconds"] <= row["slowest"]
        assert row["clips_per_second"] == pytest.approx(2e3 / row["milliseconds"])
        macs = 3 * 2 * build_network(config).macs(2, 64, 64).total  # forward and backward, two clips
        assert row["timed_gmacs"] == macs / 1e9
        reached = macs / 1e9 / (row["milliseconds"] / 1e3) / row["peak_gmacs_per_second"]
        assert row["share_of_peak"] == pytest.approx(reached)
    assert second["peak_mib"] > first["peak_mib"]  # a second attention step keeps its own activations
    kernels = ("fused", "fused and two products") if torch.cuda.is_available() else ("two products", "two products")
    assert (first["kernel"], second["kernel"]) == kernels  # 33 tokens, and rows of 2 frames


def test_without_gradients_attention_is_fused():
    (row,) = side_by_side([preset("Ti", attention="joint", **SMALL)], rounds=1)
    assert row["kernel"] == "fused"


@pytest.mark.skipif(torch.cuda.is_available(), reason="the choice on a CPU")
def test_in_bf16_attention_over_short_rows_takes_two_products():
    network = build_network(preset("Ti", attention="joint", **SMALL)).eval().bfloat16()
    clip = torch.randn(1, 3, 2, 64, 64, dtype=torch.bfloat16)
    with torch.no_grad():
        assert kernel(partial(network, clip)) == "two products"


def test_every_network_is_compiled_however_many_there_are():
    compiled = []

    def backend(graph, inputs):
        compiled.append(graph)
        return graph.forward

    networks = [torch.nn.Sequential(torch.nn.Linear(4, width)) for width in range(1, 12)]
    with every_one_compiled(len(networks)):
        for network in networks:
            torch.compile(network, backend=backend, dynamic=False)(torch.ones(1, 4))
    torch._dynamo.reset()
    assert len(compiled) == len(networks)
