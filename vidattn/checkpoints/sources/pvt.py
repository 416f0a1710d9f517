"""PVT's own files (whai362/PVT, classification, the first version): `pvt_tiny.pth` and its siblings."""

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
from vidattn.models.hierarchical_config import HierarchicalConfig
from vidattn.models.presets import build_network
from vidattn.preprocessing import Preprocessing

HEAD_WIDTH = 64
ENDS = {
    "stem.patches.conv": "patch_embed1.proj",
    "stem.patches.norm": "patch_embed1.norm",
    "position.table": "pos_embed1",
    "norm": "norm",
    "head": "head",
}
REDUCED = {
    "steps.0.block.q": "attn.q",
    "steps.0.block.reduce": "attn.sr",
    "steps.0.block.norm": "attn.norm",
    "steps.0.block.kv": "attn.kv",
    "steps.0.block.proj": "attn.proj",
}
WHOLE: dict[str, str | tuple[str, ...]] = {"steps.0.attn.qkv": ("attn.q", "attn.kv"), "steps.0.attn.proj": "attn.proj"}
"""Attention on a map that is reduced, and on one that is not."""
REST = {"norms.0": "norm1", "mlp_norm": "norm2", "mlp.fc1": "mlp.fc1", "mlp.fc2": "mlp.fc2"}
"""Our names -> PVT's; the last three within a block."""

LICENCE = "Apache 2.0 (whai362/PVT)"

PREPROCESSING = Preprocessing(image_size=224, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), short_side=256)


def recognises(found: Any) -> bool:
    """Whether a file holds one; the second version has no tables of positions."""
    names = tensors_of(found)
    return "pos_embed1" in names and "block1.0.attn.kv.weight" in names


def read(found: Any, path: Path) -> Saved:
    """A PVT of the first version, for clips of one frame; of longer ones each frame's map meets the class token only.

    Raises:
        WeightsError: the weights are not those of such a network.
    """
    weights = tensors_of(found)
    try:
        config = config_of(weights)
    except (KeyError, ValueError, IndexError) as error:
        raise WeightsError(f"no PVT of the first version: {error}") from None
    headless = "head.weight" not in weights
    with torch.device("meta"):
        network = build_network(config)
    state = renamed(weights, names(config), network, ["head"] if headless else [])
    prepared = PREPROCESSING if config.picture == 224 else replace(PREPROCESSING, image_size=config.picture)
    notes = [
        "an image model: clips of one frame; of longer ones the class token is the mean over frames",
        f"num_heads: assumed {config.num_heads}, heads of {HEAD_WIDTH} as published; the file does not say",
    ]
    return Saved(config, state, [], prepared, notes, licence=LICENCE)


def config_of(weights: Mapping[str, Tensor]) -> HierarchicalConfig:
    """The network that has such weights."""
    depths: list[int] = []
    while f"block{len(depths) + 1}.0.norm1.weight" in weights:
        stage = f"block{len(depths) + 1}"
        depths.append(next(block for block in count() if f"{stage}.{block}.norm1.weight" not in weights))
    if len(depths) < 2:
        raise WeightsError(f"a PVT of {len(depths)} stages; wanted two or more, 4 as published")
    blocks = [f"block{stage + 1}.0" for stage in range(len(depths))]
    widths = tuple(len(weights[f"{block}.norm1.weight"]) for block in blocks)
    side = math.isqrt(weights["pos_embed1"].shape[1])
    if side**2 != weights["pos_embed1"].shape[1]:
        raise WeightsError(f"its table of {weights['pos_embed1'].shape[1]} places makes no square")
    patch = weights["patch_embed1.proj.weight"].shape[-1]
    reductions = [
        weights[f"{block}.attn.sr.weight"].shape[-1] if f"{block}.attn.sr.weight" in weights else 1 for block in blocks
    ]
    return HierarchicalConfig(
        attention=tuple("space" if reduction == 1 else f"pvt({reduction})" for reduction in reductions),
        num_classes=len(weights["head.weight"]) if "head.weight" in weights else 1000,
        num_frames=1,
        image_size=patch * side,
        widths=widths,
        depths=tuple(depths),
        num_heads=tuple(max(1, width // HEAD_WIDTH) for width in widths),
        downsampling=(*["patch_conv"] * (len(depths) - 2), "patch_conv(1)"),
        patch_size=patch,
        tubelet_size=1,
        stem="patch_conv",
        position="map",
        pooling="class_token",
        mlp_ratio=tuple(
            len(weights[f"{block}.mlp.fc1.weight"]) / width for block, width in zip(blocks, widths, strict=True)
        ),
        norm_eps=1e-6,
    )


def names(config: HierarchicalConfig) -> dict[str, str | tuple[str, ...]]:
    """Our names -> PVT's, for a network of this configuration."""
    table: dict[str, str | tuple[str, ...]] = {**ENDS}
    last = len(config.depths) - 1
    table[f"stages.{last}.merging.prefix"] = "cls_token"
    for stage, (depth, attention) in enumerate(zip(config.depths, config.attentions, strict=True)):
        if stage:
            merging, number = f"stages.{stage}.merging", stage + 1
            table |= {f"{merging}.patches.conv": f"patch_embed{number}.proj"}
            table |= {f"{merging}.patches.norm": f"patch_embed{number}.norm"}
            table |= {f"{merging}.position.table": f"pos_embed{number}"}
        layers: dict[str, str | tuple[str, ...]] = {**REST, **(WHOLE if attention == "space" else REDUCED)}
        for block in range(depth):
            for ours, theirs in layers.items():
                place = f"block{stage + 1}.{block}."
                found = place + theirs if isinstance(theirs, str) else tuple(place + one for one in theirs)
                table[f"stages.{stage}.blocks.{block}.{ours}"] = found
    return table
