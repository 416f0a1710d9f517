"""V-JEPA 2's encoders and attentive probes, as Hugging Face and as Meta keep them: https://arxiv.org/abs/2506.09985."""

import torch
from torch import Tensor

from vidattn.checkpoints.foreign import Foreign
from vidattn.checkpoints.hf_config import HARMLESS, activation, patch_side, prefixed
from vidattn.checkpoints.native import floored, floored_sides
from vidattn.checkpoints.renaming import Names, of_each, renamed, without
from vidattn.checkpoints.saved import Saved
from vidattn.models.attentive_probe import DEPTH, EPS, HEADS
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import VJEPA2, build_network

PIXELS = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
"""ImageNet's."""

LICENCE = "MIT, parts of it Apache-2.0 (V-JEPA 2, facebookresearch/vjepa2; on the hub ViT-g says Apache-2.0)"

FOUR_LEVELS = 48
"""Classes of Diving48, whose official probes read four levels of the encoder."""

_LAYER = "vjepa2.encoder.layer.{i}"
_INNER = f"{_LAYER}.attention"

ENCODER: Names = {
    "patch": "vjepa2.encoder.embeddings.patch_embeddings.proj",
    "blocks.{i}.norms.0": f"{_LAYER}.norm1",
    "blocks.{i}.steps.0.attn.qkv": tuple(f"{_INNER}.{name}" for name in ("query", "key", "value")),
    "blocks.{i}.steps.0.attn.proj": f"{_INNER}.proj",
    "blocks.{i}.mlp_norm": f"{_LAYER}.norm2",
    "blocks.{i}.mlp.fc1": f"{_LAYER}.mlp.fc1",
    "blocks.{i}.mlp.fc2": f"{_LAYER}.mlp.fc2",
    "norm": "vjepa2.encoder.layernorm",
}
"""Hugging Face's names of the encoder."""

_SELF = "pooler.self_attention_layers.{i}"

_SELF_ATTENTION: Names = {
    "norms.0": f"{_SELF}.layer_norm1",
    "steps.0.attn.qkv": tuple(f"{_SELF}.self_attn.{name}_proj" for name in "qkv"),
    "steps.0.attn.proj": f"{_SELF}.self_attn.out_proj",
    "mlp_norm": f"{_SELF}.layer_norm2",
    "mlp.fc1": f"{_SELF}.mlp.fc1",
    "mlp.fc2": f"{_SELF}.mlp.fc2",
}

_CROSS = "pooler.cross_attention_layer"

PROBE: Names = {
    "readout.query": "pooler.query_tokens",
    **of_each(DEPTH, "readout.self_attention.{i}", _SELF_ATTENTION),
    "readout.norm": f"{_CROSS}.layer_norm1",
    "readout.q": f"{_CROSS}.cross_attn.q_proj",
    "readout.kv": (f"{_CROSS}.cross_attn.k_proj", f"{_CROSS}.cross_attn.v_proj"),
    "readout.mlp_norm": f"{_CROSS}.layer_norm2",
    "readout.mlp.fc1": f"{_CROSS}.mlp.fc1",
    "readout.mlp.fc2": f"{_CROSS}.mlp.fc2",
    "head": "classifier",
}
"""Hugging Face's names of the probe."""


def read(config: Foreign, weights: dict[str, Tensor]) -> Saved:
    """What `VJEPA2ForVideoClassification` or `VJEPA2Model` saved; of the latter, whose features nobody has read out
    yet, the read-out is the mean of the normed tokens.

    The probe has the official one's eps and heads, which its weights were trained with; where Hugging Face's code has
    others, the report says so.

    Raises:
        WeightsError: the weights do not fit; a value of the configuration is of another kind, or a key of it is not
            known.
    """
    weights = prefixed(weights, "vjepa2", "pooler.", "classifier.")
    weights, notes = without(weights, ("vjepa2.predictor.",), "the predictor of pre-training")
    patch, tubelet = patch_side(config), config.whole("tubelet_size", 2)
    size, cut = floored_sides(config.sides("crop_size", 256), patch)
    frames, left = floored("frames_per_clip", config.whole("frames_per_clip", 64), tubelet)
    if config.whole("in_chans", 3) != 3:
        raise config.error("in_chans", "3: red, green and blue")
    probed = "classifier.weight" in weights
    if probed and config.whole("num_pooler_layers", DEPTH, least=0) != DEPTH:
        raise config.error("num_pooler_layers", f"{DEPTH}, as V-JEPA 2's attentive probes have")
    ours = VideoTransformerConfig(
        attention=VJEPA2.attention,
        num_classes=weights["classifier.weight"].shape[0] if probed else 400,
        num_frames=frames,
        image_size=size,
        patch_size=patch,
        tubelet_size=tubelet,
        embed_dim=config.whole("hidden_size", 1024),
        depth=config.whole("num_hidden_layers", 24, most=1000),
        num_heads=config.whole("num_attention_heads", 16),
        mlp_ratio=config.number("mlp_ratio", 4.0),
        norm_eps=config.number("layer_norm_eps", 1e-6),
        position=VJEPA2.position,
        query_key=VJEPA2.query_key,
        pooling=VJEPA2.pooling if probed else "normed_mean",
        activation=activation(config),
        qkv_bias="all" if config.switch("qkv_bias", True) else "none",
    )
    of_training = {"attention_dropout", *(name for name in config if name.startswith("pred_"))}
    config.refuse_others(HARMLESS | of_training | {"num_pooler_layers", "image_size"})  # the latter is crop_size again
    if probed:
        notes += [*_of_the_probe(ours), *four_levels(ours.num_classes)]
    with torch.device("meta"):
        network = build_network(ours)
    names = {**ENCODER, **PROBE} if probed else ENCODER
    state = renamed(weights, names, network, [] if probed else ["head"])
    return Saved(ours, state, notes=[*notes, *cut, *left], licence=LICENCE)


def four_levels(num_classes: int) -> list[str]:
    """A line where a probe has as many classes as Diving48."""
    if num_classes != FOUR_LEVELS:
        return []
    return [
        f"readout: {FOUR_LEVELS} classes, as of Diving48, whose official probes read four levels of the encoder; here, "
        "as in Hugging Face's code, the probe reads the last alone: if it is one of those, do not trust its answers"
    ]


def _of_the_probe(ours: VideoTransformerConfig) -> list[str]:
    """A line where Hugging Face's code computes the probe otherwise than it was trained."""
    theirs = {"heads": (ours.num_heads, HEADS), "eps": (ours.norm_eps, EPS)}
    others = [
        f"{found:g} {name}" if name == "heads" else f"{name} {found:g}"
        for name, (found, own) in theirs.items()
        if found != own
    ]
    if not others:
        return []
    return [
        f"readout: {HEADS} heads and eps {EPS:g}, as the official probes were trained; Hugging Face's code computes it "
        f"with {' and '.join(others)}, so logits differ"
    ]
