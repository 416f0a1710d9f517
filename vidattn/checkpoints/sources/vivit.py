"""Hugging Face's ViViT (`VivitForVideoClassification`): model 1 of https://arxiv.org/abs/2103.15691."""

from typing import Any

import torch
from torch import Tensor

from vidattn.checkpoints.folder import activation, mlp_ratio, num_classes, prefixed
from vidattn.checkpoints.names import WeightsError, renamed, without
from vidattn.checkpoints.saved import Saved
from vidattn.checkpoints.sources.vit import hf_names
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import build_network

PIXELS = {"mean": [0.75] * 3, "std": [0.25] * 3}
"""Of pixels in [0, 1]: its processor makes them -1 to 1, then takes mean and std 0.5 of those."""


def read(config: dict[str, Any], weights: dict[str, Tensor]) -> Saved:
    """What `VivitForVideoClassification` or `VivitModel` saved: `config.json` and the weights.

    Raises:
        WeightsError: the tubelets are not square, or the weights do not fit.
    """
    weights = prefixed(weights, "vivit", "classifier")
    weights, notes = without(weights, ("vivit.pooler.",), "the pooler, which no classifier uses")
    classes, absent = num_classes(weights)
    frames, height, width = config.get("tubelet_size", (2, 16, 16))
    if height != width:
        raise WeightsError(f"tubelet_size={frames}x{height}x{width}: vidattn's are square")
    ours = VideoTransformerConfig(
        attention="joint",
        num_classes=classes,
        num_frames=config.get("num_frames", 32),
        image_size=config.get("image_size", 224),
        patch_size=height,
        tubelet_size=frames,
        position="token",
        embed_dim=config.get("hidden_size", 768),
        depth=config.get("num_hidden_layers", 12),
        num_heads=config.get("num_attention_heads", 12),
        mlp_ratio=mlp_ratio(config.get("intermediate_size", 3072), config.get("hidden_size", 768)),
        norm_eps=config.get("layer_norm_eps", 1e-6),
        activation=activation({"hidden_act": "gelu_fast"} | config),
        qkv_bias="all" if config.get("qkv_bias", True) else "none",
    )
    with torch.device("meta"):
        network = build_network(ours)
    return Saved(ours, renamed(weights, hf_names("vivit", weights), network, absent), notes=notes)
