"""torchvision's Video Swin (`torchvision.models.video.swin3d_t` and its siblings): the `.pth` files of its weights."""

import math
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vidattn.checkpoints.files import tensors_of
from vidattn.checkpoints.hf_config import mlp_ratio
from vidattn.checkpoints.renaming import WeightsError, renamed
from vidattn.checkpoints.saved import Saved
from vidattn.checkpoints.sources.torchvision_kinetics import TERMS, kinetics_names
from vidattn.models.hierarchical_config import HierarchicalConfig
from vidattn.models.presets import build_network
from vidattn.preprocessing import Preprocessing, SamplingRule

TABLE = "attn.relative_position_bias_table"
INDEX = "attn.relative_position_index"

LAYERS = {
    "norms.0": "norm1",
    "steps.0.attn.qkv": "attn.qkv",
    "steps.0.attn.proj": "attn.proj",
    "steps.0.bias": TABLE,
    "mlp_norm": "norm2",
    "mlp.fc1": "mlp.0",
    "mlp.fc2": "mlp.3",
}
"""Our names in a block -> torchvision's."""

PREPROCESSING = Preprocessing(
    SamplingRule("vidattn.data.SecondsSampling", {"num_frames": 32, "seconds_between": 1 / 15}),
    image_size=224,
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
    short_side=256,
)
"""What torchvision says of its weights for Kinetics: clips of 32 frames at 15 frames per second."""


LICENCE = TERMS.format(origin="SwinTransformer/Video-Swin-Transformer")


def recognises(found: Any) -> bool:
    """Whether a file holds one."""
    return f"features.0.0.{TABLE}" in tensors_of(found) and f"features.0.0.{INDEX}" in tensors_of(found)


def names(depths: tuple[int, ...]) -> dict[str, str]:
    """Our names -> torchvision's, for stages of so many blocks."""
    table = {"stem.conv": "patch_embed.proj", "stem.norm": "patch_embed.norm", "norm": "norm", "head": "head"}
    for stage, depth in enumerate(depths):
        for block in range(depth):
            ours, theirs = f"stages.{stage}.blocks.{block}", f"features.{2 * stage}.{block}"
            table |= {f"{ours}.{our}": f"{theirs}.{their}" for our, their in LAYERS.items()}
        if stage:
            merging = f"features.{2 * stage - 1}"
            table |= {f"stages.{stage}.merging.{layer}": f"{merging}.{layer}" for layer in ("norm", "reduction")}
    return table


def read(found: Any, path: Path) -> Saved:
    """A Video Swin of torchvision's.

    Its clips' length and size are in no weight: the published ones are taken, and others work as well.

    Raises:
        WeightsError: the weights are not those of such a network.
    """
    weights = tensors_of(found)
    depths = stage_depths(weights)
    tables = [weights[f"features.{2 * stage}.0.{TABLE}"] for stage in range(len(depths))]
    window = window_of(len(tables[0]), len(weights[f"features.0.0.{INDEX}"]))
    try:
        dim, _, tubelet, patch, _ = weights["patch_embed.proj.weight"].shape
        hidden = len(weights["features.0.0.mlp.0.weight"])
        classes = len(weights["head.weight"])
        widths = tuple(len(weights[f"features.{2 * stage}.0.norm1.weight"]) for stage in range(len(depths)))
    except (KeyError, ValueError) as error:
        raise WeightsError(f"no Video Swin of torchvision's: {error}") from None
    config = HierarchicalConfig(
        attention=f"swin3d({','.join(map(str, window))})",
        num_classes=classes,
        widths=widths,
        depths=depths,
        num_heads=tuple(table.shape[1] for table in tables),
        patch_size=patch,
        tubelet_size=tubelet,
        mlp_ratio=mlp_ratio(hidden, dim),
    )
    with torch.device("meta"):
        network = build_network(config)
    plain = {name: value.mT if name.endswith(TABLE) else value for name, value in weights.items()}
    plain = {name: value for name, value in plain.items() if not name.endswith(INDEX)}
    state = renamed(plain, names(depths), network)
    labels, lines = kinetics_names(classes)
    notes = ["num_frames and image_size: taken as 32 and 224, as published; the file does not say", *lines]
    return Saved(config, state, labels, PREPROCESSING, notes, licence=LICENCE)


def stage_depths(weights: Mapping[str, Tensor]) -> tuple[int, ...]:
    """Blocks of each stage."""
    depths: list[int] = []
    for stage in count():
        depth = next(block for block in count() if f"features.{2 * stage}.{block}.norm1.weight" not in weights)
        if not depth:
            return tuple(depths)
        depths.append(depth)
    raise AssertionError


def window_of(rows: int, tokens: int) -> tuple[int, int, int]:
    """Frames, rows and columns (as many as rows) of a window, by the rows of its table and its tokens.

    >>> window_of(2535, 392), window_of(5239, 784)
    ((8, 7, 7), (16, 7, 7))

    Raises:
        WeightsError: there is no such window.
    """
    for side in range(1, math.isqrt(tokens) + 1):
        frames = tokens // side**2
        if frames * side**2 == tokens and (2 * frames - 1) * (2 * side - 1) ** 2 == rows:
            return frames, side, side
    raise WeightsError(f"its table of {rows} offsets is of no window of {tokens} tokens that is as high as wide")
