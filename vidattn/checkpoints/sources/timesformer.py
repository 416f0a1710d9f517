"""The official TimeSformer files (facebookresearch/TimeSformer, a5ef29a): names in `model_state`, without `model.`."""

import torch
from torch import Tensor

from vidattn.checkpoints.native import Sides, native_map
from vidattn.checkpoints.renaming import Names, WeightsError, renamed
from vidattn.checkpoints.saved import Saved
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import build_network
from vidattn.preprocessing import Preprocessing

_SHARED = {
    "prefix": "cls_token",
    "position.table": "pos_embed",
    "patch": "patch_embed.proj",
    "blocks.{i}.mlp_norm": "blocks.{i}.norm2",
    "blocks.{i}.mlp.fc1": "blocks.{i}.mlp.fc1",
    "blocks.{i}.mlp.fc2": "blocks.{i}.mlp.fc2",
    "norm": "norm",
    "head": "head",
}

SPACE: Names = {
    **_SHARED,
    "blocks.{i}.norms.0": "blocks.{i}.norm1",
    "blocks.{i}.steps.0.attn.qkv": "blocks.{i}.attn.qkv",
    "blocks.{i}.steps.0.attn.proj": "blocks.{i}.attn.proj",
}

JOINT: Names = {**SPACE, "time.table": "time_embed"}

DIVIDED: Names = {
    **_SHARED,
    "time.table": "time_embed",
    "blocks.{i}.norms.0": "blocks.{i}.temporal_norm1",
    "blocks.{i}.steps.0.attn.qkv": "blocks.{i}.temporal_attn.qkv",
    "blocks.{i}.steps.0.attn.proj": "blocks.{i}.temporal_attn.proj",
    "blocks.{i}.steps.0.fc": "blocks.{i}.temporal_fc",
    "blocks.{i}.norms.1": "blocks.{i}.norm1",
    "blocks.{i}.steps.1.attn.qkv": "blocks.{i}.attn.qkv",
    "blocks.{i}.steps.1.attn.proj": "blocks.{i}.attn.proj",
}

SCHEMES: dict[str, Names] = {"space": SPACE, "joint": JOINT, "divided": DIVIDED, "time+space": DIVIDED}
"""The table of each scheme that the official code released."""


def read(weights: dict[str, Tensor], asked: Sides | None = None) -> Saved:
    """What `model_state` holds. It tells all but the shape of the picture, and the number of heads: all released models
    have heads of 64.

    Args:
        weights: its state dict.
        asked: height and width in pixels that it is wanted for, which may tell the shape.

    Raises:
        WeightsError: the weights are not TimeSformer's.
    """
    weights = {name.removeprefix("model."): value for name, value in weights.items()}
    needed = ("patch_embed.proj.weight", "pos_embed", "head.weight")
    if absent := [name for name in needed if name not in weights]:
        raise WeightsError(f"not an official TimeSformer file: {', '.join(absent)} not there")
    if weights["patch_embed.proj.weight"].ndim != 4 or weights["pos_embed"].ndim != 3:
        raise WeightsError("not an official TimeSformer file: no convolution of pictures, or no table of positions")
    attention = "space"
    if "time_embed" in weights:
        attention = "divided" if any("temporal_attn" in name for name in weights) else "joint"
    dim, _, patch, _ = weights["patch_embed.proj.weight"].shape
    (rows, columns), notes = native_map([weights["pos_embed"].shape[1] - 1], patch, None, asked)
    height, width = rows * patch, columns * patch
    size = height if height == width else (height, width)
    config = VideoTransformerConfig(
        attention=attention,
        num_classes=weights["head.weight"].shape[0],
        num_frames=weights["time_embed"].shape[1] if attention != "space" else 8,
        image_size=size,
        patch_size=patch,
        embed_dim=dim,
        depth=sum(name.endswith("norm2.weight") for name in weights),
        num_heads=max(1, dim // 64),
    )
    with torch.device("meta"):
        network = build_network(config)
    preprocessing = Preprocessing(image_size=size, mean=(0.45, 0.45, 0.45), std=(0.225, 0.225, 0.225))
    notes.append(f"num_heads: assumed {config.num_heads} (heads of 64), the file does not say")
    return Saved(config, renamed(weights, SCHEMES[attention], network), [], preprocessing, notes, heads_assumed=True)
