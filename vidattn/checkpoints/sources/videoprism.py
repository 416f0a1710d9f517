"""Hugging Face's VideoPrism, https://arxiv.org/abs/2402.13217: the vision model, with a classifier or without."""

import torch
from torch import Tensor

from vidattn.checkpoints.foreign import Foreign
from vidattn.checkpoints.hf_config import HARMLESS, mlp_ratio, num_classes, prefixed
from vidattn.checkpoints.native import floored_sides
from vidattn.checkpoints.renaming import Names, WeightsError, of_each, renamed
from vidattn.checkpoints.saved import Saved
from vidattn.models.query_pooling import WIDER
from vidattn.models.videoprism import VideoPrismConfig

PIXELS = {"mean": [0.0] * 3, "std": [1.0] * 3}
"""None: pixels in [0, 1] are what it takes."""

LICENCE = "Apache-2.0 for the code, CC-BY 4.0 for other materials (VideoPrism, google-deepmind/videoprism)"

ACTIVATIONS = ("gelu", "gelu_python")
"""HF's names of the exact GELU."""

_LAYER = "vision_model.{tower}_layers.{i}"

LAYER: Names = {
    "norms.0": f"{_LAYER}.layernorm_before",
    "steps.0.qkv": tuple(f"{_LAYER}.attention.{name}_proj" for name in "qkv"),
    "steps.0.proj": f"{_LAYER}.attention.o_proj",
    "mlp_norm": f"{_LAYER}.layernorm_after",
    "mlp.fc1": f"{_LAYER}.mlp.fc1",
    "mlp.fc2": f"{_LAYER}.mlp.fc2",
}

ENDS: Names = {
    "patch": "vision_model.spatial_embeddings.patch_embeddings.projection",
    "spatial.table": "vision_model.spatial_embeddings.position_embeddings",
    "spatial.norm": "vision_model.layernorm1",
    "temporal.table": "vision_model.temporal_embeddings.position_embeddings",
    "temporal.norm": "vision_model.layernorm2",
}

POOLING: Names = {
    "readout.query": "head.pooling_attention_query",
    "readout.scale": "head.per_dim_scale",
    "readout.q": "head.q_proj",
    "readout.kv": ("head.k_proj", "head.v_proj"),
    "readout.proj": "head.o_proj",
    "readout.norm": "head_layernorm",
    "head": "classifier",
}


def read(config: Foreign, weights: dict[str, Tensor]) -> Saved:
    """What `VideoPrismForVideoClassification` or `VideoPrismVisionModel` saved; of the latter, whose features nobody
    has read out yet, the read-out is the mean of the normed tokens.

    Raises:
        WeightsError: the weights do not fit; a value of the configuration is of another kind, or a key of it is not
            known.
    """
    weights = prefixed(weights, "vision_model", "head.", "head_layernorm.", "classifier.")
    classes, absent = num_classes(weights)
    dim, hidden = config.whole("hidden_size", 768), config.whole("intermediate_size", 3072)
    if not absent and hidden != WIDER * dim:
        raise config.error("intermediate_size", f"{WIDER * dim}: the read-out is {WIDER} times as wide as tokens")
    config.word("hidden_act", "gelu_python", ACTIVATIONS)
    if not config.switch("qkv_bias", True):
        raise config.error("qkv_bias", "true, as in all published models")
    patch = _patch(config)
    size, cut = floored_sides(config.sides("image_size", 288), patch)
    cap = config.number("attn_logit_softcapping", 50.0)
    if cap != int(cap):
        raise config.error("attn_logit_softcapping", "a whole number, 50 in all published models")
    ours = VideoPrismConfig(
        num_classes=classes,
        num_frames=config.whole("num_frames", 16),
        image_size=size,
        patch_size=patch,
        embed_dim=dim,
        spatial_depth=config.whole("num_spatial_layers", 12, most=1000),
        temporal_depth=config.whole("num_temporal_layers", 4, most=1000),
        num_heads=config.whole("num_attention_heads", 12),
        mlp_ratio=mlp_ratio(hidden, dim),
        pooling="normed_mean" if absent else "query",
        cap=int(cap),
        norm_eps=config.number("layer_norm_eps", 1e-6),
    )
    config.refuse_others(HARMLESS | {"num_auxiliary_layers", "apply_l2norm"})  # of video-text models
    with torch.device("meta"):
        network = ours.build()
    table: Names = {
        **ENDS,
        **_layers("spatial", ours.spatial_depth),
        **_layers("temporal", ours.temporal_depth),
        **({} if absent else POOLING),
    }
    whole = {name: value + 1 if _less_one(name) else value for name, value in weights.items()}
    return Saved(ours, renamed(whole, table, network, absent), notes=cut, licence=LICENCE)


def _layers(tower: str, depth: int) -> Names:
    names = {
        ours: tuple(one.replace("{tower}", tower) for one in theirs)
        if isinstance(theirs, tuple)
        else theirs.replace("{tower}", tower)
        for ours, theirs in LAYER.items()
    }
    return of_each(depth, f"{tower}.blocks.{{i}}", names)


def _less_one(name: str) -> bool:
    """Whether a weight is kept less 1: those of all norms are."""
    layer, _, part = name.rpartition(".")
    return part == "weight" and "layernorm" in layer.rpartition(".")[2]


def _patch(config: Foreign) -> int:
    found = config.raw("tubelet_size") if "tubelet_size" in config else (1, 18, 18)
    if isinstance(found, list | tuple) and len(found) == 3 and all(type(one) is int and one > 0 for one in found):
        frames, height, width = found
        if frames == 1 and height == width:
            return height
        raise WeightsError(f"tubelet_size={frames}x{height}x{width}: VideoPrism's are squares of one frame")
    raise config.error("tubelet_size", "three whole numbers above 0: frames, height and width")
