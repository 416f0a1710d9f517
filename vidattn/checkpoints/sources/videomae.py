"""Hugging Face's VideoMAE, fine-tuned or pre-trained: https://arxiv.org/abs/2203.12602."""

from collections.abc import Collection

import torch
from torch import Tensor

from vidattn.checkpoints.foreign import Foreign
from vidattn.checkpoints.hf_config import HARMLESS, activation, mlp_ratio, num_classes, patch_side, prefixed, vit_sizes
from vidattn.checkpoints.native import floored, floored_sides
from vidattn.checkpoints.renaming import Names, WeightsError, renamed, without
from vidattn.checkpoints.saved import Saved
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.pixel_decoder import Decoder
from vidattn.models.presets import build_network

PIXELS = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
"""ImageNet's, as of the fine-tuned models on the hub."""

DECODER = ("mask_token", "encoder_to_decoder.", "decoder.")
"""What paints the hidden patches in pre-training."""

OF_THE_DECODER = {
    *("decoder_num_attention_heads", "decoder_hidden_size", "decoder_num_hidden_layers", "decoder_intermediate_size"),
    "norm_pix_loss",
}
"""Keys that tell of what is left out."""

FC_NORM_EPS = 1e-5
"""Of the last norm in HF's code, `nn.LayerNorm(hidden_size)`; in VideoMAE's own it is that of the other norms."""

KEY_BIAS = ".attention.attention.key.bias"
"""What some releases of transformers 5 write too. It adds the same to all scores of a query, which the softmax takes
away again: leaving it out changes nothing."""

_LAYER = "videomae.encoder.layer.{i}"
_INNER = f"{_LAYER}.attention.attention"

SHARED: Names = {
    "patch": "videomae.embeddings.patch_embeddings.projection",
    "blocks.{i}.norms.0": f"{_LAYER}.layernorm_before",
    "blocks.{i}.steps.0.attn.qkv.weight": tuple(f"{_INNER}.{name}.weight" for name in ("query", "key", "value")),
    "blocks.{i}.steps.0.attn.proj": f"{_LAYER}.attention.output.dense",
    "blocks.{i}.mlp_norm": f"{_LAYER}.layernorm_after",
    "blocks.{i}.mlp.fc1": f"{_LAYER}.intermediate.dense",
    "blocks.{i}.mlp.fc2": f"{_LAYER}.output.dense",
    "head": "classifier",
}

NEW: Names = {
    **SHARED,
    "blocks.{i}.steps.0.attn.qkv.query_bias": f"{_INNER}.query.bias",
    "blocks.{i}.steps.0.attn.qkv.value_bias": f"{_INNER}.value.bias",
}
"""Names of the biases in memory since transformers 5."""

OLD: Names = {
    **SHARED,
    "blocks.{i}.steps.0.attn.qkv.query_bias": f"{_INNER}.q_bias",
    "blocks.{i}.steps.0.attn.qkv.value_bias": f"{_INNER}.v_bias",
}
"""The same in files of most releases."""


def names(weights: Collection[str]) -> Names:
    """The table for these weights. The last norm comes after the mean in a classifier, before it without one."""
    norm = "fc_norm" if "fc_norm.weight" in weights else "videomae.layernorm"
    return {**(OLD if any(name.endswith("q_bias") for name in weights) else NEW), "norm": norm}


def read(config: Foreign, weights: dict[str, Tensor]) -> Saved:
    """What `VideoMAEForVideoClassification`, `VideoMAEForPreTraining` or `VideoMAEModel` saved.

    Of a pre-trained model the encoder is taken. Its last norm, where it has one, becomes the one after the mean.

    Raises:
        WeightsError: it classifies by its first token and not by the mean, or the weights do not fit; a value of the
            configuration is of another kind, or a key of it is not known.
    """
    weights = prefixed(weights, "videomae", "classifier", "fc_norm", *DECODER)
    weights = {name: value for name, value in weights.items() if not name.endswith(KEY_BIAS)}
    painting = {name: value for name, value in weights.items() if name.startswith(DECODER)}
    weights, notes = without(weights, DECODER, "the decoder of pre-training")
    classes, absent = num_classes(weights)
    if not config.switch("use_mean_pooling", True) and not absent:
        raise WeightsError("use_mean_pooling=false: it classifies by its first patch, which vidattn does not")
    if names(weights)["norm"] not in {name.rpartition(".")[0] for name in weights}:
        absent = [*absent, "norm"]
    patch, tubelet = patch_side(config), config.whole("tubelet_size", 2)
    size, cut = floored_sides(config.sides("image_size", 224), patch)
    frames, left = floored("num_frames", config.whole("num_frames", 16), tubelet)
    notes += [*cut, *left]
    newer = config.switch("qv_bias", True)  # the name since transformers 5
    ours = VideoTransformerConfig(
        attention="joint",
        num_classes=classes,
        num_frames=frames,
        image_size=size,
        patch_size=patch,
        tubelet_size=tubelet,
        position="sine",
        pooling="mean",
        **vit_sizes(config, norm_eps=1e-12),
        activation=activation(config),
        qkv_bias="query_value" if config.switch("qkv_bias", newer) else "none",
    )
    if "fc_norm.weight" in weights and ours.norm_eps > FC_NORM_EPS:
        notes.append(
            f"norm.eps: {ours.norm_eps:g}, as layer_norm_eps says; in Hugging Face's code this norm alone has "
            f"{FC_NORM_EPS:g} whatever layer_norm_eps is, so logits differ slightly"
        )
    config.refuse_others(HARMLESS | OF_THE_DECODER)
    with torch.device("meta"):
        network = build_network(ours)
    beside = decoder_of(config, painting, ours) if painting else {}
    return Saved(ours, renamed(weights, names(weights), network, absent), notes=notes, beside=beside)


def decoder_of(config: Foreign, weights: dict[str, Tensor], ours: VideoTransformerConfig) -> dict[str, Tensor]:
    """The decoder's weights by the names of `vidattn.MaskedAutoencoder`.

    Raises:
        WeightsError: they do not fit what the configuration says of the decoder.
    """
    width = config.whole("decoder_hidden_size", 384)
    numbers = Decoder(
        width,
        config.whole("decoder_num_hidden_layers", 4, least=0, most=1000),
        config.whole("decoder_num_attention_heads", 6),
        mlp_ratio(config.whole("decoder_intermediate_size", 1536), width),
    )
    with torch.device("meta"):
        decoder = numbers.build(ours, ours.embed_dim)
    old = any(name.endswith("q_bias") for name in weights)
    layers = {
        name: _of_the_decoder(found) for name, found in (OLD if old else NEW).items() if name.startswith("blocks.")
    }
    table = {**layers, "enter": "encoder_to_decoder", "mask_token": "mask_token"}
    table |= {"norm": "decoder.norm", "head": "decoder.head"}
    return {f"decoder.{name}": value for name, value in renamed(weights, table, decoder).items()}


def _of_the_decoder(found: str | tuple[str, ...]) -> str | tuple[str, ...]:
    """The names of a decoder's layer, from those of the encoder's like layer."""
    if isinstance(found, tuple):
        return tuple(name.replace("videomae.encoder.layer", "decoder.decoder_layers") for name in found)
    return found.replace("videomae.encoder.layer", "decoder.decoder_layers")
