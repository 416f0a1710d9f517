"""A small network in stages of each family, every parameter random."""

from dataclasses import replace
from typing import Any

import torch

from vidattn.models.hierarchical import HierarchicalTransformer
from vidattn.models.hierarchical_presets import HIERARCHICAL

CLIP = (4, 32, 64)
SMALL: dict[str, Any] = {"num_classes": 3, "num_frames": 4, "image_size": (32, 64)}
STAGED = {
    "swin": replace(
        HIERARCHICAL["swin3d-t"], attention="swin3d(2,3,3)", widths=(8, 16), depths=(2, 1), num_heads=(2, 4), **SMALL
    ),
    "mvit": replace(
        HIERARCHICAL["mvit-v2-s"],
        attention=("mvit(1,4,4)", "mvit(1,2,2)"),
        downsampling="conv_pool(1,2,2)",
        widths=(8, 16),
        depths=(1, 2),
        num_heads=(1, 2),
        **SMALL,
    ),
    "hiera": replace(
        HIERARCHICAL["hiera-b"],
        attention=("unit(1,4,4)", "joint"),
        downsampling="max_pool(1,4,4)",
        widths=(8, 16),
        depths=(1, 2),
        num_heads=(1, 2),
        **SMALL,
    ),
    "pvt": replace(
        HIERARCHICAL["pvt-tiny"],
        attention=("pvt(2)", "space"),
        downsampling="patch_conv(1)",
        widths=(8, 16),
        depths=(1, 2),
        num_heads=(1, 2),
        mlp_ratio=(2.0, 3.0),
        **SMALL,
    ),
    "coatnet": replace(
        HIERARCHICAL["coatnet-0"],
        attention=("mbconv_se", "relative(4,8)"),
        downsampling=("mbconv", "relative(4,8)"),
        widths=(8, 16),
        depths=(2, 2),
        num_heads=(1, 2),
        stem_width=4,
        **SMALL,
    ),
}


def random_staged(name: str) -> HierarchicalTransformer:
    """In evaluation mode."""
    torch.manual_seed(0)
    network = STAGED[name].build().eval()
    for key, parameter in network.named_parameters():
        torch.nn.init.normal_(parameter, 1.0 if "norm" in key and key.endswith("weight") else 0.0, std=0.2)
    return network
