"""timm's CoAtNet in the paper's form (`coatnet_0` to `coatnet_5`), as a network that sees each frame alone."""

import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vidattn.checkpoints.files import tensors_of
from vidattn.checkpoints.renaming import WeightsError, renamed
from vidattn.checkpoints.saved import Saved
from vidattn.checkpoints.sources.timm import UNSTATED
from vidattn.models.hierarchical_config import HierarchicalConfig
from vidattn.models.presets import build_network
from vidattn.preprocessing import Preprocessing

HEAD_WIDTH = 32
TABLE = "attn.rel_pos.relative_position_bias_table"

STEM = {"stem.first": "stem.conv1", "stem.norm": "stem.norm1", "stem.second": "stem.conv2"}
ENDS = {"readout.norm": "head.norm", "readout.fc": "head.pre_logits.fc", "head": "head.fc"}
CONVOLUTION = {
    "steps.0.block.norm": "pre_norm",
    "steps.0.block.widen.0": "conv1_1x1",
    "steps.0.block.widen.1": "norm1",
    "steps.0.block.mix.0": "conv2_kxk",
    "steps.0.block.mix.1": "norm2",
    "steps.0.block.gate.0": "se.fc1",
    "steps.0.block.gate.2": "se.fc2",
    "steps.0.block.narrow": "conv3_1x1",
}
ATTENTION = {
    "steps.0.block.qkv": "attn.qkv",
    "steps.0.block.proj": "attn.proj",
    "steps.0.block.table": TABLE,
    "mlp_norm": "norm2",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
}
"""Our names -> timm's; the last two within a block."""

SKIPPED = "relative_position_index"

PREPROCESSING = Preprocessing(
    image_size=224, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), short_side=math.floor(224 / 0.95)
)
"""timm's of its models of 224 pixels."""


def recognises(found: Any) -> bool:
    """Whether a file holds one, of this form or another."""
    names = tensors_of(found)
    return "stem.conv1.weight" in names and "stages.0.blocks.0.conv1_1x1.weight" in names


def read(found: Any, path: Path) -> Saved:
    """A CoAtNet of timm's, for clips of one frame; of longer ones it sees each frame alone and takes the mean.

    Raises:
        WeightsError: it is of timm's other form (`coatnet_0_rw` and the like), or the weights are not those of such a
            network.
    """
    weights = {name: value for name, value in tensors_of(found).items() if not name.endswith(SKIPPED)}
    if "head.pre_logits.fc.weight" not in weights or "stages.0.blocks.0.conv3_1x1.bias" not in weights:
        raise WeightsError(
            "a CoAtNet in timm's own form (coatnet_0_rw, coatnet_rmlp_1_rw and the like), which widens and gates at "
            "other places than the paper's; vidattn reads the paper's form, timm's coatnet_0 to coatnet_5"
        )
    try:
        config = config_of(weights)
    except (KeyError, ValueError, IndexError) as error:
        raise WeightsError(f"no CoAtNet of timm's: {error}") from None
    headless = "head.fc.weight" not in weights
    with torch.device("meta"):
        network = build_network(config)
    plain = {name: _plain(name, value) for name, value in weights.items()}
    state = renamed(plain, names(config), network, ["head"] if headless else [])
    prepared = PREPROCESSING if config.picture == 224 else replace(PREPROCESSING, image_size=config.picture)
    notes = ["an image model: clips of one frame; of longer ones it sees each frame alone and averages"]
    return Saved(config, state, [], prepared, notes, licence=UNSTATED)


def config_of(weights: Mapping[str, Tensor]) -> HierarchicalConfig:
    """The network that has such weights."""
    depths: list[int] = []
    while f"stages.{len(depths)}.blocks.0.{_last(weights, len(depths))}.weight" in weights:
        blocks = (f"stages.{len(depths)}.blocks.{block}." for block in count())
        depths.append(next(i for i, block in enumerate(blocks) if not any(one.startswith(block) for one in weights)))
    stages = [f"stages.{stage}.blocks.0" for stage in range(len(depths))]
    widths = tuple(len(weights[f"{block}.{_last(weights, stage)}.weight"]) for stage, block in enumerate(stages))
    sides = [_side(weights[f"{block}.{TABLE}"]) if f"{block}.{TABLE}" in weights else 0 for block in stages]
    picture = next((side * 2 ** (stage + 2) for stage, side in enumerate(sides) if side), 224)
    return HierarchicalConfig(
        attention=tuple(f"relative({side},{side})" if side else "mbconv_se" for side in sides),
        num_classes=len(weights["head.fc.weight"]) if "head.fc.weight" in weights else 1000,
        num_frames=1,
        image_size=picture,
        widths=widths,
        depths=tuple(depths),
        num_heads=tuple(width // HEAD_WIDTH for width in widths),
        downsampling=tuple(f"relative({side},{side})" if side else "mbconv" for side in sides),
        patch_size=2,
        tubelet_size=1,
        stem="convolutions",
        stem_width=len(weights["stem.conv2.weight"]),
        pooling="hidden_mean",
        norm_eps=1e-6,
    )


def names(config: HierarchicalConfig) -> dict[str, str]:
    """Our names -> timm's, for a network of this configuration."""
    table = {**STEM, **ENDS}
    for stage, (depth, attention) in enumerate(zip(config.depths, config.attentions, strict=True)):
        convolves = attention == "mbconv_se"
        for block in range(depth):
            place = f"stages.{stage}.blocks.{block}"
            table |= {f"{place}.{ours}": f"{place}.{theirs}" for ours, theirs in _block(convolves, block == 0).items()}
    return table


def _block(convolves: bool, first: bool) -> dict[str, str]:
    """Our names in a block -> timm's."""
    layers = dict(CONVOLUTION) if convolves else {**ATTENTION, "norms.0": "norm1.norm" if first else "norm1"}
    return {**layers, "expand": "shortcut.expand"} if first else layers


def _last(weights: Mapping[str, Tensor], stage: int) -> str:
    """The last layer of the blocks of a stage, whose rows are the stage's width."""
    return "conv3_1x1" if f"stages.{stage}.blocks.0.conv3_1x1.weight" in weights else "mlp.fc2"


def _side(table: Tensor) -> int:
    """Rows (and columns) of the map that a table of offsets is of."""
    side = math.isqrt(len(table))
    if side**2 != len(table) or side % 2 == 0:
        raise WeightsError(f"its table of {len(table)} offsets is of no square map")
    return (side + 1) // 2


def _plain(name: str, value: Tensor) -> Tensor:
    """timm's tables are `(offsets, heads)`, and its rows of queries, keys and values lie head by head."""
    if name.endswith(TABLE):
        return value.mT
    if ".attn.qkv." in name:
        return value.unflatten(0, (-1, 3, HEAD_WIDTH)).transpose(0, 1).flatten(0, 2)
    return value
