"""Names in Hugging Face's TimeSformer (`TimesformerForVideoClassification`, transformers 5)."""

import torch
from torch import Tensor

from vidattn.checkpoints.foreign import Foreign
from vidattn.checkpoints.hf_config import HARMLESS, activation, num_classes, patch_side, prefixed, vit_sizes
from vidattn.checkpoints.native import floored_sides
from vidattn.checkpoints.renaming import Names, renamed
from vidattn.checkpoints.saved import Saved
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import build_network

_EMBEDDINGS = "timesformer.embeddings"
_LAYER = "timesformer.encoder.layer.{i}"

_SHARED = {
    "prefix": f"{_EMBEDDINGS}.cls_token",
    "position.table": f"{_EMBEDDINGS}.position_embeddings",
    "patch": f"{_EMBEDDINGS}.patch_embeddings.projection",
    "blocks.{i}.mlp_norm": f"{_LAYER}.layernorm_after",
    "blocks.{i}.mlp.fc1": f"{_LAYER}.intermediate.dense",
    "blocks.{i}.mlp.fc2": f"{_LAYER}.output.dense",
    "norm": "timesformer.layernorm",
    "head": "classifier",
}

SPACE: Names = {
    **_SHARED,
    "blocks.{i}.norms.0": f"{_LAYER}.layernorm_before",
    "blocks.{i}.steps.0.attn.qkv": f"{_LAYER}.attention.attention.qkv",
    "blocks.{i}.steps.0.attn.proj": f"{_LAYER}.attention.output.dense",
}

JOINT: Names = {**SPACE, "time.table": f"{_EMBEDDINGS}.time_embeddings"}

DIVIDED: Names = {
    **_SHARED,
    "time.table": f"{_EMBEDDINGS}.time_embeddings",
    "blocks.{i}.norms.0": f"{_LAYER}.temporal_layernorm",
    "blocks.{i}.steps.0.attn.qkv": f"{_LAYER}.temporal_attention.attention.qkv",
    "blocks.{i}.steps.0.attn.proj": f"{_LAYER}.temporal_attention.output.dense",
    "blocks.{i}.steps.0.fc": f"{_LAYER}.temporal_dense",
    "blocks.{i}.norms.1": f"{_LAYER}.layernorm_before",
    "blocks.{i}.steps.1.attn.qkv": f"{_LAYER}.attention.attention.qkv",
    "blocks.{i}.steps.1.attn.proj": f"{_LAYER}.attention.output.dense",
}

SCHEMES: dict[str, Names] = {"space": SPACE, "joint": JOINT, "divided": DIVIDED, "time+space": DIVIDED}
"""The table of each scheme that this model knows."""

ATTENTION = {"divided_space_time": "divided", "joint_space_time": "joint", "space_only": "space"}
"""HF's word for a scheme -> ours."""

PIXELS = {"mean": [0.45] * 3, "std": [0.225] * 3}
"""What the released models were trained with. (The default of HF's own processor is ImageNet's: wrong for them.)"""


def read(config: Foreign, weights: dict[str, Tensor]) -> Saved:
    """What `TimesformerForVideoClassification` or `TimesformerModel` saved: `config.json` and the weights.

    Raises:
        WeightsError: a value is of another kind, a key is not known, or the weights do not fit.
    """
    weights = prefixed(weights, "timesformer", "classifier")
    classes, absent = num_classes(weights)
    attention = ATTENTION[config.word("attention_type", "divided_space_time", ATTENTION)]
    patch = patch_side(config)
    size, notes = floored_sides(config.sides("image_size", 224), patch)
    ours = VideoTransformerConfig(
        attention=attention,
        num_classes=classes,
        num_frames=config.whole("num_frames", 8),
        image_size=size,
        patch_size=patch,
        activation=activation(config),
        **vit_sizes(config, norm_eps=1e-6),
        qkv_bias="all" if config.switch("qkv_bias", True) else "none",
    )
    config.refuse_others(HARMLESS)
    with torch.device("meta"):
        network = build_network(ours)
    return Saved(ours, renamed(weights, SCHEMES[attention], network, absent), notes=notes)
