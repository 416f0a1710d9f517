"""Hiera's own files for video (facebookresearch/hiera), fine-tuned or pre-trained: weights under `model_state`."""

import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vidattn.checkpoints.files import tensors_of
from vidattn.checkpoints.renaming import WeightsError, renamed, without
from vidattn.checkpoints.saved import Saved
from vidattn.checkpoints.sources.blocks_in_stages import prepared_for, stage_depths, stage_names
from vidattn.models.hierarchical_config import HierarchicalConfig
from vidattn.models.presets import build_network
from vidattn.preprocessing import Preprocessing, SamplingRule

ENDS = {
    "stem.conv": "patch_embed.proj",
    "position.table": "pos_embed_spatial",
    "time.table": "pos_embed_temporal",
    "norm": "norm",
    "head": "head.projection",
}

LAYERS = {
    "norms.0": "norm1",
    "steps.0.attn.qkv": "attn.qkv",
    "steps.0.attn.proj": "attn.proj",
    "project": "proj",
    "mlp_norm": "norm2",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
}
"""Our names in a block -> Hiera's."""

HEADS = {96: 1, 112: 2, 144: 2, 256: 4}
"""Width of the first stage -> its heads in the published sizes B, B+, L and H; the weights do not say."""

PRETRAINING = ("mask_token", "encoder_norm.", "multi_scale_fusion_heads.", "decoder_")
"""What paints the hidden patches in pre-training."""

LICENCE = "CC BY-NC 4.0, Meta's (facebookresearch/hiera, LICENSE.models): not for commercial use"

PREPROCESSING = Preprocessing(
    SamplingRule("vidattn.data.StrideSampling", {"num_frames": 16, "frame_stride": 4}),
    image_size=224,
    mean=(0.45, 0.45, 0.45),
    std=(0.225, 0.225, 0.225),
    short_side=256,
)
"""As in Hiera's example (https://github.com/facebookresearch/hiera, examples/inference.ipynb), but that its std of blue
is .255, which no other code of its authors has."""


def recognises(found: Any) -> bool:
    """Whether a file holds a Hiera, for video or for images."""
    names = tensors_of(found)
    tables = "pos_embed_spatial" in names or "pos_embed" in names
    return tables and "patch_embed.proj.weight" in names and any(name.endswith(".proj.weight") and name.count(".") == 3
                                                                 for name in names)  # fmt: skip


def read(found: Any, path: Path) -> Saved:
    """A Hiera for video; of a pre-trained one the encoder.

    Units and poolings are in no weight: taken as in all published sizes.

    Raises:
        WeightsError: it is for images, or the weights are not those of such a network.
    """
    weights = tensors_of(found)
    if "pos_embed_spatial" not in weights or weights["patch_embed.proj.weight"].ndim != 5:
        raise WeightsError("a Hiera for images; vidattn reads those for video, such as hiera_base_16x224")
    weights, notes = without(weights, PRETRAINING, "the decoder of pre-training")
    depths = stage_depths(weights, "proj.weight")
    if len(depths) != 4:
        raise WeightsError(f"a Hiera of {len(depths)} stages; wanted 4, as published")
    config, lines = config_of(weights, depths)
    absent = [ours for ours in ("norm", "head") if f"{ENDS[ours]}.weight" not in weights]
    with torch.device("meta"):
        network = build_network(config)
    state = renamed(weights, {**ENDS, **stage_names(depths, LAYERS)}, network, absent)
    return Saved(config, state, [], prepared_for(config, PREPROCESSING), [*notes, *lines], licence=LICENCE)


def config_of(weights: dict[str, Tensor], depths: tuple[int, ...]) -> tuple[HierarchicalConfig, list[str]]:
    """The network that has such weights, and a line for each assumption."""
    dim, _, *kernel = weights["patch_embed.proj.weight"].shape
    tubelet, patch, _ = ((side + 1) // 2 for side in kernel)
    rows = math.isqrt(weights["pos_embed_spatial"].shape[1])
    if rows**2 != weights["pos_embed_spatial"].shape[1]:
        raise WeightsError(f"its table of {weights['pos_embed_spatial'].shape[1]} places makes no square")
    heads = HEADS.get(dim, max(1, dim // 64))
    config = HierarchicalConfig(
        attention=("unit(1,8,8)", "unit(1,4,4)", "joint", "joint"),
        num_classes=len(weights["head.projection.weight"]) if "head.projection.weight" in weights else 400,
        num_frames=tubelet * weights["pos_embed_temporal"].shape[1],
        image_size=patch * rows,
        widths=tuple(dim * 2**stage for stage in range(4)),
        depths=depths,
        num_heads=tuple(heads * 2**stage for stage in range(4)),
        downsampling=("max_pool(1,8,8)", "max_pool(1,4,4)", "max_pool"),
        patch_size=patch,
        tubelet_size=tubelet,
        stem="overlapping",
        position="space+time",
        pooling="mean",
        mlp_ratio=len(weights["blocks.0.mlp.fc1.weight"]) / dim,
        norm_eps=1e-6,
    )
    return config, [
        f"image_size: assumed square, {patch * rows}x{patch * rows}; the file does not say",
        f"num_heads: assumed {config.num_heads}, as published for width {dim}; the file does not say",
    ]
