"""Closed forms, measurements and published counts are the same numbers."""

import csv
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.autograd.graph import saved_tensors_hooks

from vidattn.attention.scheme import IMAGE_STEPS, STEPS
from vidattn.attention.spatial import SpatialAttention
from vidattn.attention.temporal import TemporalAttention
from vidattn.flops import count
from vidattn.flops.activations import block_bytes, network_bytes
from vidattn.flops.agreement import CountError, check_macs
from vidattn.flops.closed_form_memory import closed_form_bytes
from vidattn.flops.weightless import network_on_meta
from vidattn.grid import Grid
from vidattn.macs import Macs
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import PRESETS, build_network, preset

FACTS = Path(__file__).parents[2] / ".." / "shared" / "facts"
SMALL = VideoTransformerConfig(
    num_classes=5, num_frames=4, image_size=32, patch_size=8, embed_dim=32, depth=2, num_heads=2
)
VIDEO_STEPS = [name for name in STEPS if name not in IMAGE_STEPS]
SCHEMES = ["divided", "axial", "local+global", "space", "space>time(2)", "time+window(2,3,3)+cbam"]
# Each side larger than the next; sides that no window divides; a single frame, row or column; a batch of three.
SHAPES = [(7, 48, 40, 1), (1, 8, 24, 2), (3, 40, 8, 3)]
FUSED = (66, 80, 72)  # beyond 64 keys in time and in space, where attention is fused on a CPU too


@pytest.mark.parametrize("attention", [*VIDEO_STEPS, *IMAGE_STEPS, *SCHEMES])
def test_every_module_of_every_scheme_costs_what_it_declares(attention):
    network = network_on_meta(replace(SMALL, attention=attention))
    for frames, height, width, batch in SHAPES:
        check_macs(network, frames, height, width, batch)


@pytest.mark.parametrize("pooling", ["registers", "mean", "attentive"])
@pytest.mark.parametrize("attention", ["divided", "space", "space>time(2)"])
def test_every_read_out_costs_what_it_declares(attention, pooling):
    count(replace(SMALL, attention=attention, pooling=pooling), 3, 16, 40)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_agrees(name):
    count(replace(PRESETS[name], depth=2))


def test_a_module_that_declares_too_little_is_named(monkeypatch):
    honest = TemporalAttention.macs
    monkeypatch.setattr(TemporalAttention, "macs", lambda self, grid: honest(self, grid) + Macs(attention=-1))
    with pytest.raises(CountError, match=r"^blocks\.0\.steps\.0 \(vidattn\.attention\.temporal\.TemporalAttention\)"):
        count(SMALL)


def test_modules_whose_errors_cancel_are_found(monkeypatch):
    def wrong(step, error):
        honest = step.macs
        monkeypatch.setattr(step, "macs", lambda self, grid: honest(self, grid) + Macs(linear=error))

    wrong(TemporalAttention, 1)
    wrong(SpatialAttention, -1)
    with pytest.raises(CountError, match=r"\.steps\.[01] "):
        count(SMALL)


def published() -> Iterator[dict[str, str]]:
    """Every eleventh of 360 counts of the official code: all sizes, resolutions, lengths and schemes among them."""
    path = FACTS / "timesformer_counts.csv"
    if not path.exists():
        pytest.skip(f"no reference counts in {FACTS}")
    with open(path) as file:
        yield from list(csv.DictReader(file))[::11]


def test_parameters_and_macs_are_those_of_the_official_code():
    for row in published():
        scheme = row["scheme"].removesuffix("_only").removesuffix("_space_time")
        config = preset(row["size"], attention=scheme, num_frames=int(row["T"]), image_size=int(row["S"]))
        cost = count(config, check=False)
        assert (cost.parameters, cost.macs) == (int(row["params_measured"]), int(row["macs_formula"])), row


def test_the_parts_are_the_papers_formulas():
    frames, locations, dim, depth = 8, 196, 768, 12
    tokens, copied = frames * locations, frames * (locations + 1)
    parts = asdict(count(preset("B", attention="divided"), check=False).parts)
    assert parts == {
        "patch_embedding": tokens * dim * 3 * 16**2,
        "projections": depth * (5 * tokens + 4 * copied) * dim**2,
        "attention": depth * (2 * tokens * frames + 2 * copied * (locations + 1)) * dim,
        "mlp": depth * 8 * (tokens + 1) * dim**2,
        "convolution": 0,
        "head": dim * 400,
    }


@pytest.mark.parametrize("attention", ["divided", "space", "space>time(2)", "time+pooled"])
def test_parts_blocks_and_the_network_tell_the_same(attention):
    config = replace(SMALL, attention=attention)
    cost = count(config, 4, 48, 32)
    network = build_network(config)
    assert cost.macs == cost.parts.total == network.macs(4, 48, 32).total
    ends = cost.parts.patch_embedding + cost.parts.head
    assert sum(block.macs for block in cost.blocks) + ends == cost.macs
    assert cost.parts.convolution == sum(block.parts.convolution for block in cost.blocks)
    assert (cost.parts.convolution > 0) == ("pooled" in attention)
    assert cost.parameters == sum(parameter.numel() for parameter in network.parameters())
    assert len(cost.blocks) == len(list(network.all_blocks()))


def test_a_network_is_counted_as_its_configuration_and_stays_as_it_is():
    network = build_network(SMALL).eval()
    before = network.head.weight.clone()
    assert count(network) == count(SMALL)
    assert not network.training
    assert torch.equal(network.head.weight, before)


def saved_on_cpu(config: VideoTransformerConfig, frames: int, height: int, width: int, batch: int) -> int:
    """Bytes that autograd saves of a real network, each address once, but not the weights."""
    network = build_network(config).train()
    weights = {parameter.untyped_storage().data_ptr() for parameter in network.parameters()}
    saved = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.untyped_storage().data_ptr() not in weights:
            saved[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage()
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        logits = network(torch.zeros(batch, 3, frames, height, width))
    assert logits.grad_fn is not None
    return sum(storage.nbytes() for storage in saved.values())


@pytest.mark.parametrize("attention", ["joint", "space", "time", "divided", "space>time(1)"])
@pytest.mark.parametrize("batch", [1, 2])
def test_activation_memory_is_what_autograd_saves(attention, batch):
    config = replace(SMALL, attention=attention, depth=1)
    frames = 4 if attention == "joint" else FUSED[0]
    expected = saved_on_cpu(config, frames, *FUSED[1:], batch)
    assert count(config, frames, *FUSED[1:], batch=batch, check=False).activation_bytes == expected


@pytest.mark.parametrize("attention", ["joint", "time", "temporal", "space+space", "width", "height", "global"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_closed_forms_of_memory_are_what_autograd_saves(attention, dtype):
    block = network_on_meta(replace(SMALL, attention=attention), dtype).blocks[0]
    for grid in (Grid(3, 5, 4), Grid(4, 6, 2, prefix=0), Grid(1, 3, 5, prefix=5), Grid(3, 1, 5), Grid(3, 5, 1)):
        for runs in (1, 2):
            form = closed_form_bytes(block, grid, runs, dtype.itemsize)
            assert form == block_bytes(block, grid, runs), (grid, runs)


@pytest.mark.parametrize("attention", ["divided", "space", "space>time(2)", "time+swin(3)"])
def test_blocks_and_ends_add_up_to_the_memory_of_the_network(attention):
    config = replace(SMALL, attention=attention, dropout=0.1, drop_path=0.1, pooling="attentive")
    whole = network_bytes(network_on_meta(config), 3, 48, 40, 2)
    assert count(config, 3, 48, 40, batch=2).activation_bytes == whole


@pytest.mark.parametrize(
    ("attention", "encoding"),
    [("divided", "peg"), ("joint", "peg3d"), ("space", "peg"), ("space>time(2)", "peg")],
)
def test_memory_holds_the_position_encoding_behind_the_first_block(attention, encoding):
    config = replace(SMALL, attention=attention, conditional_position=encoding)
    for batch in (1, 2):
        whole = network_bytes(network_on_meta(config), 3, 48, 40, batch)
        assert count(config, 3, 48, 40, batch, check=False).activation_bytes == whole


def test_joint_attention_keeps_sixteen_numbers_of_each_component():
    """6 in attention (input of the norm and of the layer, q, k, v, output), 10 in an MLP four times as wide."""
    one, two = (count(preset("B", attention="joint", depth=depth), check=False) for depth in (1, 2))
    tokens = 8 * 196 + 1
    assert two.activation_bytes - one.activation_bytes == 4 * tokens * (16 * 768 + 2 * 2 + 12)


def test_gradient_checkpointing_keeps_the_inputs_of_blocks_and_the_inside_of_one():
    plain, saving = (count(replace(SMALL, depth=3, gradient_checkpointing=on)) for on in (False, True))
    inside = plain.blocks[0].activation_bytes - (4 * 16 + 1) * 32 * 4
    assert plain.activation_bytes - saving.activation_bytes == 2 * inside


def test_half_the_type_is_nearly_half_the_memory():
    full, half = (count(SMALL, dtype=dtype) for dtype in (torch.float32, torch.bfloat16))
    assert half.dtype == "bfloat16"
    assert 0.5 < half.activation_bytes / full.activation_bytes < 0.55  # the norms' statistics stay in fp32


def test_a_row_is_flat_and_tells_macs_from_flops():
    row = count(SMALL, 3, 16, 24).row()
    assert (row["frames"], row["height"], row["width"]) == (3, 16, 24)
    assert row["flops"] == 2 * row["macs"]
    assert row["macs"] == sum(value for name, value in row.items() if name.endswith("_macs"))


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ((0, 32, 32), "frames=0 must be at least 1"),
        ((4, 30, 32), r"input=30x32: 30 is not a multiple of patch_size=8; nearest sizes are 24 and 32"),
        ((4, 0, 32), r"input=0x32: 0 is not a positive multiple of patch_size=8; nearest sizes are 8"),
    ],
)
def test_a_wrong_size_is_refused(size, message):
    with pytest.raises(ValueError, match=message):
        count(SMALL, *size)


def test_another_module_is_sent_to_the_function_for_it():
    with pytest.raises(TypeError, match=r"not a Linear; vidattn\.flops\.measure\(module, input\) counts any module"):
        count(nn.Linear(3, 4))
