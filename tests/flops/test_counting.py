import csv
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from torch import nn

from vidattn.flops import count
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import PRESETS, build_network, preset

FACTS = Path(__file__).parents[2] / ".." / "shared" / "facts"


SMALL = VideoTransformerConfig(
    num_classes=5, num_frames=4, image_size=32, patch_size=8, embed_dim=32, depth=2, num_heads=2
)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_agrees(name):
    count(PRESETS[name].shallow(2))


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
