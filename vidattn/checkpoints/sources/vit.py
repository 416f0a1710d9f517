"""Image transformers: Hugging Face's ViT, read as a video network that sees each frame on its own.

https://arxiv.org/abs/2010.11929. Another scheme is inflated from that: see `vidattn.checkpoints.transfer`.
"""

from collections.abc import Collection

import torch
from torch import Tensor

from vidattn.checkpoints.foreign import Foreign
from vidattn.checkpoints.hf_config import HARMLESS, activation, num_classes, patch_side, prefixed, vit_sizes
from vidattn.checkpoints.native import floored_sides
from vidattn.checkpoints.renaming import Names, renamed, without
from vidattn.checkpoints.saved import Saved
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import build_network

PIXELS = {"mean": [0.5] * 3, "std": [0.5] * 3}
"""What ViTs were trained with, unless their folder says otherwise."""


def hf_names(model: str, weights: Collection[str]) -> Names:
    """Names in HF's ViT and ViViT: those of transformers 5, or the older ones, which files on the hub have."""
    new = any(name.startswith(f"{model}.layers.") for name in weights)
    layer = f"{model}.layers.{{i}}" if new else f"{model}.encoder.layer.{{i}}"
    inner = f"{layer}.attention" if new else f"{layer}.attention.attention"
    queries, keys, values = ("q_proj", "k_proj", "v_proj") if new else ("query", "key", "value")
    return {
        "prefix": f"{model}.embeddings.cls_token",
        "position.table": f"{model}.embeddings.position_embeddings",
        "patch": f"{model}.embeddings.patch_embeddings.projection",
        "blocks.{i}.norms.0": f"{layer}.layernorm_before",
        "blocks.{i}.steps.0.attn.qkv": (f"{inner}.{queries}", f"{inner}.{keys}", f"{inner}.{values}"),
        "blocks.{i}.steps.0.attn.proj": f"{inner}.o_proj" if new else f"{layer}.attention.output.dense",
        "blocks.{i}.mlp_norm": f"{layer}.layernorm_after",
        "blocks.{i}.mlp.fc1": f"{layer}.mlp.fc1" if new else f"{layer}.intermediate.dense",
        "blocks.{i}.mlp.fc2": f"{layer}.mlp.fc2" if new else f"{layer}.output.dense",
        "norm": f"{model}.layernorm",
        "head": "classifier",
    }


def read_huggingface(config: Foreign, weights: dict[str, Tensor]) -> Saved:
    """What `ViTForImageClassification` or `ViTModel` saved: `config.json` and the weights.

    Raises:
        WeightsError: a value is of another kind, a key is not known, or the weights do not fit.
    """
    weights = prefixed(weights, "vit", "classifier")
    weights, notes = without(weights, ("vit.pooler.",), "the pooler, which no classifier uses")
    classes, absent = num_classes(weights)
    patch = patch_side(config)
    size, cut = floored_sides(config.sides("image_size", 224), patch)
    ours = VideoTransformerConfig(
        attention="space",
        num_classes=classes,
        image_size=size,
        patch_size=patch,
        **vit_sizes(config, norm_eps=1e-12),
        activation=activation(config),
        qkv_bias="all" if config.switch("qkv_bias", True) else "none",
    )
    config.refuse_others(HARMLESS | {"encoder_stride"})
    with torch.device("meta"):
        network = build_network(ours)
    state = renamed(weights, hf_names("vit", weights), network, absent)
    return Saved(ours, state, notes=[*notes, *cut], is_image=True)
