"""torchvision's MViTv2 (`torchvision.models.video.mvit_v2_s`): the `.pth` file of its weights."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vidattn.checkpoints.files import tensors_of
from vidattn.checkpoints.renaming import WeightsError, renamed
from vidattn.checkpoints.saved import Saved
from vidattn.checkpoints.sources.blocks_in_stages import prepared_for, stage_depths, stage_names
from vidattn.checkpoints.sources.torchvision_kinetics import TERMS, kinetics_names
from vidattn.models.hierarchical_config import HierarchicalConfig
from vidattn.models.presets import build_network
from vidattn.preprocessing import Preprocessing, SamplingRule

ENDS = {"stem.conv": "conv_proj", "prefix": "pos_encoding.class_token", "norm": "norm", "head": "head.1"}

LAYERS = {
    "norms.0": "norm1",
    "steps.0.attn.qkv": "attn.qkv",
    "steps.0.attn.proj": "attn.project.0",
    **{f"steps.0.pool_{one}": f"attn.pool_{one}.pool" for one in "qkv"},
    **{f"steps.0.norm_{one}": f"attn.pool_{one}.norm_act.0" for one in "qkv"},
    "steps.0.relative.time": "attn.rel_pos_t",
    "steps.0.relative.height": "attn.rel_pos_h",
    "steps.0.relative.width": "attn.rel_pos_w",
    "project": "project",
    "mlp_norm": "norm2",
    "mlp.fc1": "mlp.0",
    "mlp.fc2": "mlp.3",
}
"""Our names in a block -> torchvision's."""

PREPROCESSING = Preprocessing(
    SamplingRule("vidattn.data.SecondsSampling", {"num_frames": 16, "seconds_between": 1 / 7.5}),
    image_size=224,
    mean=(0.45, 0.45, 0.45),
    std=(0.225, 0.225, 0.225),
    short_side=256,
)
"""What torchvision says of its weights for Kinetics: clips of 16 frames at 7.5 frames per second."""


LICENCE = TERMS.format(origin="facebookresearch/SlowFast")


def recognises(found: Any) -> bool:
    """Whether a file holds one, of the first version or the second."""
    return {"conv_proj.weight", "pos_encoding.class_token"} <= tensors_of(found).keys()


def read(found: Any, path: Path) -> Saved:
    """An MViTv2 of torchvision's.

    Its tables of positions tell the length and the larger side of its clips. The strides of keys are in no weight:
    taken as published, halved from stage to stage.

    Raises:
        WeightsError: the weights are not those of such a network.
    """
    weights = tensors_of(found)
    if "blocks.0.attn.rel_pos_h" not in weights:
        raise WeightsError(
            "an MViT without relative positions, as torchvision's mvit_v1_b; vidattn reads the second version, "
            "mvit_v2_s"
        )
    depths = stage_depths(weights, "project.weight")
    try:
        config = config_of(weights, depths)
    except (KeyError, ValueError, IndexError) as error:
        raise WeightsError(f"no MViTv2 of torchvision's: {error}") from None
    with torch.device("meta"):
        network = build_network(config)
    state = renamed(weights, {**ENDS, **stage_names(depths, LAYERS)}, network)
    labels, lines = kinetics_names(config.num_classes)
    notes = [
        f"image_size: assumed square, {config.image_size}x{config.image_size}; the file does not say",
        "strides of keys: assumed as published; the file does not say",
        *lines,
    ]
    return Saved(config, state, labels, prepared_for(config, PREPROCESSING), notes, licence=LICENCE)


def config_of(weights: dict[str, Tensor], depths: tuple[int, ...]) -> HierarchicalConfig:
    """The network that has such weights."""
    head_dim = len(weights["blocks.0.attn.pool_q.pool.weight"])
    firsts = [sum(depths[:stage]) for stage in range(len(depths))]
    widths = tuple(len(weights[f"blocks.{block}.attn.project.0.weight"]) for block in firsts)
    _, _, *kernel = weights["conv_proj.weight"].shape
    tubelet, patch, _ = ((side + 1) // 2 for side in kernel)
    strides = [2 ** (len(depths) - 1 - stage) for stage in range(len(depths))]
    return HierarchicalConfig(
        attention=tuple(f"mvit(1,{stride},{stride})" for stride in strides),
        num_classes=len(weights["head.1.weight"]),
        num_frames=tubelet * (len(weights["blocks.0.attn.rel_pos_t"]) + 1) // 2,
        image_size=patch * (len(weights["blocks.0.attn.rel_pos_h"]) + 1) // 2,
        widths=widths,
        depths=depths,
        num_heads=tuple(width // head_dim for width in widths),
        downsampling=tuple(f"conv_pool(1,{stride},{stride})" for stride in strides[1:]),
        patch_size=patch,
        tubelet_size=tubelet,
        stem="overlapping",
        pooling="class_token",
        mlp_ratio=len(weights["blocks.0.mlp.0.weight"]) / widths[0],
        norm_eps=1e-6,
    )
