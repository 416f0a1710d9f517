"""timm's image Swin as a Video Swin: inflated, so that it sees a still clip as the image model saw the picture."""

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
from vidattn.models.embeddings import average_frames
from vidattn.models.hierarchical_config import HierarchicalConfig
from vidattn.models.presets import build_network
from vidattn.preprocessing import Preprocessing

TABLE = "attn.relative_position_bias_table"
FRAMES = 8  # of a window, as Video Swin's
TUBELET = 2

LAYERS = {
    "norms.0": "norm1",
    "steps.0.attn.qkv": "attn.qkv",
    "steps.0.attn.proj": "attn.proj",
    "steps.0.bias": TABLE,
    "mlp_norm": "norm2",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
}
"""Our names in a block -> timm's."""

SKIPPED = ("relative_position_index", "attn_mask")
"""What older files hold beside the weights."""

PREPROCESSING = Preprocessing(
    image_size=224, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), short_side=math.floor(224 / 0.9)
)
"""timm's of the models of 224 pixels."""


LICENCE = "MIT by timm's list of its Swins (microsoft/Swin-Transformer); the file does not say"


def recognises(found: Any) -> bool:
    """Whether a file holds one; the second version has other tables."""
    return f"layers.0.blocks.0.{TABLE}" in tensors_of(found)


def read(found: Any, path: Path) -> Saved:
    """A Swin of timm's: the patch's weights spread over the two frames of a tubelet, the tables over all offsets in
    time, as Video Swin, https://arxiv.org/abs/2106.13230, section 3.3.

    Raises:
        WeightsError: the weights are not those of such a network.
    """
    weights = {name: value for name, value in tensors_of(found).items() if not name.endswith(SKIPPED)}
    if "layers.0.downsample.norm.weight" in weights:
        raise WeightsError("a Swin with the merging behind its stages, as Microsoft's own files; give timm's")
    try:
        config = config_of(weights)
    except (KeyError, ValueError, IndexError) as error:
        raise WeightsError(f"no Swin of timm's: {error}") from None
    inflated = {name: tables_over_time(value) if name.endswith(TABLE) else value for name, value in weights.items()}
    inflated["patch_embed.proj.weight"] = average_frames(weights["patch_embed.proj.weight"].float(), TUBELET)
    headless = "head.fc.weight" not in weights
    with torch.device("meta"):
        network = build_network(config)
    state = renamed(inflated, names(config.depths), network, ["head"] if headless else [])
    notes = [
        "inflated from an image model: it answers at first as that does, on clips that stand still and whose frames "
        f"fill windows of {FRAMES * TUBELET}, or are fewer",
        f"image_size: taken as {config.image_size}; the file does not say",
    ]
    return Saved(config, state, [], PREPROCESSING, notes, licence=LICENCE)


def config_of(weights: Mapping[str, Tensor]) -> HierarchicalConfig:
    """The video network that is made of such weights."""
    depths: list[int] = []
    while f"layers.{len(depths)}.blocks.0.norm1.weight" in weights:
        stage = f"layers.{len(depths)}.blocks"
        depths.append(next(block for block in count() if f"{stage}.{block}.norm1.weight" not in weights))
    stages = [f"layers.{stage}.blocks.0" for stage in range(len(depths))]
    side = (math.isqrt(len(weights[f"{stages[0]}.{TABLE}"])) + 1) // 2
    dim, _, patch, _ = weights["patch_embed.proj.weight"].shape
    return HierarchicalConfig(
        attention=f"swin3d({FRAMES},{side},{side})",
        num_classes=len(weights["head.fc.weight"]) if "head.fc.weight" in weights else 400,
        widths=tuple(len(weights[f"{stage}.norm1.weight"]) for stage in stages),
        depths=tuple(depths),
        num_heads=tuple(weights[f"{stage}.{TABLE}"].shape[1] for stage in stages),
        image_size=32 * side,
        patch_size=patch,
        tubelet_size=TUBELET,
        mlp_ratio=mlp_ratio(len(weights[f"{stages[0]}.mlp.fc1.weight"]), dim),
    )


def tables_over_time(table: Tensor) -> Tensor:
    """A table `((2w - 1)^2, heads)` -> ours, `(heads, 2t - 1, 2w - 1, 2w - 1)`: the same at all offsets in time."""
    side = math.isqrt(len(table))
    if side**2 != len(table):
        raise WeightsError(f"its table of {len(table)} offsets is of no square window")
    return table.mT.unflatten(1, (1, side, side)).expand(-1, 2 * FRAMES - 1, -1, -1)


def names(depths: tuple[int, ...]) -> dict[str, str]:
    """Our names -> timm's, for stages of so many blocks."""
    table = {"stem.conv": "patch_embed.proj", "stem.norm": "patch_embed.norm", "norm": "norm", "head": "head.fc"}
    for stage, depth in enumerate(depths):
        for block in range(depth):
            ours, theirs = f"stages.{stage}.blocks.{block}", f"layers.{stage}.blocks.{block}"
            table |= {f"{ours}.{our}": f"{theirs}.{their}" for our, their in LAYERS.items()}
        if stage:
            ours, theirs = f"stages.{stage}.merging", f"layers.{stage}.downsample"
            table |= {f"{ours}.{layer}": f"{theirs}.{layer}" for layer in ("norm", "reduction")}
    return table
