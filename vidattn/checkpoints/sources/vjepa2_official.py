"""Meta's own files of V-JEPA 2 (facebookresearch/vjepa2): an encoder in one, an attentive probe in another."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vidattn.checkpoints.files import read_weights, tensors_of
from vidattn.checkpoints.hf_config import mlp_ratio
from vidattn.checkpoints.renaming import Names, WeightsError, of_each, renamed, without
from vidattn.checkpoints.saved import Saved
from vidattn.checkpoints.sources.vjepa2 import LICENCE, PIXELS, four_levels
from vidattn.models.attentive_probe import DEPTH
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import VJEPA2, build_network
from vidattn.preprocessing import Preprocessing

ENCODERS = ("ema_encoder", "target_encoder", "encoder")
"""What a file calls an encoder, the preferred first: that of the moving average is the one that is probed."""

PROBES = "classifiers"
"""What a file calls its probes, a list."""

HEADS = {768: 12, 1024: 16, 1280: 16, 1408: 22, 1664: 26}
"""Width -> heads of the published encoders, B to G; the weights do not say."""

TABLES = {8 * 24**2: 384, 32 * 24**2: 384}
"""Rows of the table of positions that a file carries and nobody uses -> pixels, where those are not 256."""

BLOCKS: Names = {
    "patch": "patch_embed.proj",
    "blocks.{i}.norms.0": "blocks.{i}.norm1",
    "blocks.{i}.steps.0.attn.qkv": "blocks.{i}.attn.qkv",
    "blocks.{i}.steps.0.attn.proj": "blocks.{i}.attn.proj",
    "blocks.{i}.mlp_norm": "blocks.{i}.norm2",
    "blocks.{i}.mlp.fc1": "blocks.{i}.mlp.fc1",
    "blocks.{i}.mlp.fc2": "blocks.{i}.mlp.fc2",
}
"""Names of an encoder without wrappers."""

ENCODER: Names = {**BLOCKS, "norm": "norm"}

_SELF_ATTENTION: Names = {
    "norms.0": "pooler.blocks.{i}.norm1",
    "steps.0.attn.qkv": "pooler.blocks.{i}.attn.qkv",
    "steps.0.attn.proj": "pooler.blocks.{i}.attn.proj",
    "mlp_norm": "pooler.blocks.{i}.norm2",
    "mlp.fc1": "pooler.blocks.{i}.mlp.fc1",
    "mlp.fc2": "pooler.blocks.{i}.mlp.fc2",
}

_CROSS = "pooler.cross_attention_block"

PROBE: Names = {
    "readout.query": "pooler.query_tokens",
    **of_each(DEPTH, "readout.self_attention.{i}", _SELF_ATTENTION),
    "readout.norm": f"{_CROSS}.norm1",
    "readout.q": f"{_CROSS}.xattn.q",
    "readout.kv": f"{_CROSS}.xattn.kv",
    "readout.mlp_norm": f"{_CROSS}.norm2",
    "readout.mlp.fc1": f"{_CROSS}.mlp.fc1",
    "readout.mlp.fc2": f"{_CROSS}.mlp.fc2",
    "head": "linear",
}
"""Names of a probe without wrappers."""


def recognises(found: Any) -> bool:
    """Whether a file's content is of this kind."""
    return isinstance(found, dict) and (PROBES in found or bool(_wrapped(found)) or bool(flat(found)))


def read(found: Mapping[str, Any], path: Path) -> Saved:
    """An encoder, whose features nobody has read out yet (the mean of its normed tokens is), or with a probe.

    A probe's file holds no encoder: that must lie beside it, as the only other file whose name ends in `.pt`. Neither
    says for which clips it is; as positions have no table, any clips do.

    Args:
        found: what the file holds.
        path: the file.

    Raises:
        WeightsError: the weights do not fit; a probe has no encoder beside it, or one of another width.
    """
    if PROBES not in found:
        return _read(encoder_of(found), {}, found)
    probe = probe_of(found)
    beside = sorted(one for one in path.parent.glob("*.pt") if one != path)
    if len(beside) != 1:
        others = ", ".join(one.name for one in beside[:4]) or "none"
        raise WeightsError(
            "a V-JEPA 2 probe, whose encoder is in a file of its own: put that beside it, as the only other .pt of the "
            f"folder; there: {others}"
        )
    encoder = read_weights(beside[0])
    if not isinstance(encoder, dict) or not recognises(encoder) or PROBES in encoder:
        raise WeightsError(f"a V-JEPA 2 probe, and {beside[0].name} beside it is no V-JEPA 2 encoder")
    return _read(encoder_of(encoder), probe, encoder)


def encoder_of(found: Mapping[str, Any]) -> dict[str, Tensor]:
    """The encoder's weights without what wrappers put into their names."""
    return bare(_wrapped(found)) or flat(found)


def flat(found: Any) -> dict[str, Tensor]:
    """An encoder's weights where they are all that a file holds, `torch.save(encoder.state_dict(), ...)`; else empty.

    Tubelets, biases for queries, keys and values, and no class token: VideoMAE's have no bias for keys.
    """
    weights = bare(tensors_of(found))
    patch = weights.get("patch_embed.proj.weight")
    plain = patch is not None and patch.ndim == 5 and "blocks.0.attn.qkv.bias" in weights
    return weights if plain and "cls_token" not in weights else {}


def probe_of(found: Mapping[str, Any]) -> dict[str, Tensor]:
    """The first probe's weights, likewise.

    Raises:
        WeightsError: there is none.
    """
    probes = found[PROBES]
    first = probes[0] if isinstance(probes, list) and probes else None
    if not isinstance(first, dict) or "linear.weight" not in (state := bare(first)):
        held = f"a list of {len(probes)}" if isinstance(probes, list) else type(probes).__name__
        raise WeightsError(f"{PROBES} is {held}; wanted a list of attentive probes, each with a linear.weight")
    return state


def wrapper_notes(found: Mapping[str, Any]) -> list[str]:
    """A line where a file does not name what it holds."""
    if _wrapped(found):
        return []
    return ["encoder: the file holds weights alone; taken as V-JEPA's by their names"]


def bare(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same weights without `module.` and `backbone.`, wherever they stand in a name."""
    return {name.replace("module.", "").replace("backbone.", ""): value for name, value in state.items()}


def sizes(weights: Mapping[str, Tensor]) -> dict[str, Any]:
    """What the shapes of an encoder's weights say.

    Raises:
        WeightsError: they are of another network.
    """
    patch, hidden = weights["patch_embed.proj.weight"], weights.get("blocks.0.mlp.fc1.weight")
    if patch.ndim != 5 or patch.shape[3] != patch.shape[4] or patch.shape[1] != 3 or hidden is None:
        raise WeightsError(
            f"no V-JEPA 2 encoder: patch_embed.proj.weight is {tuple(patch.shape)}; wanted (D, 3, 2, 16, 16)"
        )
    dim = patch.shape[0]
    return {
        "tubelet_size": patch.shape[2],
        "patch_size": patch.shape[3],
        "embed_dim": dim,
        "depth": sum(name.startswith("blocks.") and name.endswith(".norm2.weight") for name in weights),
        "num_heads": HEADS.get(dim, max(1, dim // 64)),
        "mlp_ratio": mlp_ratio(hidden.shape[0], dim),
    }


def prepared(image_size: int) -> Preprocessing:
    """How V-JEPA's evaluations prepare frames: short side 256/224 of the crop."""
    return Preprocessing(image_size=image_size, short_side=int(image_size * 256 / 224)).with_pixels(**PIXELS)


def assumed(config: VideoTransformerConfig) -> list[str]:
    """What the files do not say, a line each."""
    return [
        f"num_heads: assumed {config.num_heads}, as published for width {config.embed_dim}; the file does not say",
        f"num_frames, image_size: assumed {config.num_frames} and {config.image_size}, the file does not say; "
        "there is no table of positions, so that other clips are no approximation",
    ]


def _read(weights: dict[str, Tensor], probe: dict[str, Tensor], found: Mapping[str, Any]) -> Saved:
    if strange := sorted(name for name in weights if name.startswith(("norms_block.", "video_mod_embed"))):
        raise WeightsError(f"an encoder of V-JEPA 2.1 ({strange[0]}), which the probe of V-JEPA 2 was not trained on")
    table = weights.get("pos_embed")
    weights, notes = without(weights, ("pos_embed",), "a table of positions that nobody uses")
    classes = probe["linear.weight"].shape[0] if probe else 400
    config = VideoTransformerConfig(
        **sizes(weights),
        attention=VJEPA2.attention,
        num_classes=classes,
        num_frames=VJEPA2.num_frames,
        image_size=256 if table is None else TABLES.get(math.prod(table.shape[:-1]), 256),
        position=VJEPA2.position,
        query_key=VJEPA2.query_key,
        pooling=VJEPA2.pooling if probe else "normed_mean",
    )
    notes += wrapper_notes(found) + assumed(config) + (four_levels(classes) if probe else [])
    if probe and probe["linear.weight"].shape[1] != config.embed_dim:
        raise WeightsError(
            f"the probe is for encoders of width {probe['linear.weight'].shape[1]}, and the encoder beside it has "
            f"{config.embed_dim}"
        )
    if "predictor" in found:
        notes.append("the predictor of pre-training: left out")
    with torch.device("meta"):
        network = build_network(config)
    names, absent = ({**ENCODER, **PROBE}, []) if probe else (ENCODER, ["head"])
    state = renamed({**weights, **probe}, names, network, absent)
    return Saved(config, state, [], prepared(config.size[0]), notes, heads_assumed=True, licence=LICENCE)


def _wrapped(found: Mapping[str, Any]) -> dict[str, Tensor]:
    """The encoder that a file holds under a name of its own, the preferred of several; empty where there is none."""
    return next((found[name] for name in ENCODERS if _is_encoder(found.get(name))), {})


def _is_encoder(state: Any) -> bool:
    return isinstance(state, dict) and any(str(name).endswith("patch_embed.proj.weight") for name in state)
