"""Meta's own files of V-JEPA 2.1 (facebookresearch/vjepa2, app/vjepa_2_1): https://arxiv.org/abs/2603.14482."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from vidattn.checkpoints.renaming import Names, WeightsError, renamed, without
from vidattn.checkpoints.saved import Saved
from vidattn.checkpoints.sources import vjepa2_official
from vidattn.checkpoints.sources.vjepa2 import LICENCE
from vidattn.checkpoints.sources.vjepa2_official import (
    BLOCKS,
    PROBES,
    assumed,
    encoder_of,
    prepared,
    sizes,
    wrapper_notes,
)
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import VJEPA2_1, build_network

NEW = ("norms_block.", "video_mod_embed", "img_mod_embed", "patch_embed_img.")
"""How names begin that V-JEPA 2 does not have."""

OF_PICTURES = ("img_mod_embed", "patch_embed_img.")
"""What only clips of a single frame go through."""

LEVELS = 4
"""Norms of four levels of the encoder, of which the last is the output's."""

NAMES: Names = {**BLOCKS, "norm": f"norms_block.{LEVELS - 1}"}


def recognises(found: Any) -> bool:
    """Whether a file's content is of this kind."""
    if not vjepa2_official.recognises(found) or PROBES in found:
        return False
    return any(name.startswith(NEW) for name in encoder_of(found))


def read(found: Mapping[str, Any], path: Path) -> Saved:
    """An encoder. Nobody has published a probe for it: the read-out is the mean of the normed tokens.

    The vector that tells tokens of videos from those of pictures is added to all tokens, so it becomes part of the
    patch layer's bias.

    Raises:
        WeightsError: the weights do not fit.
    """
    weights = encoder_of(found)
    if "norm.weight" in weights:
        other = next(name for name in weights if name.startswith(NEW))
        raise WeightsError(f"an encoder with both norm (V-JEPA 2) and {other} (V-JEPA 2.1); wanted one of the two")
    weights, pictures = without(weights, OF_PICTURES, "the patch layer of single pictures")
    earlier = tuple(f"norms_block.{level}." for level in range(LEVELS - 1))
    weights, levels = without(weights, earlier, "norms of levels before the last")
    vector, bias = weights.pop("video_mod_embed", None), weights.get("patch_embed.proj.bias")
    if vector is None or bias is None or vector.numel() != bias.numel():
        raise WeightsError("an encoder of V-JEPA 2.1 without video_mod_embed, or of another width than its patch layer")
    weights["patch_embed.proj.bias"] = bias.float() + vector.flatten().float()
    config = VideoTransformerConfig(
        **sizes(weights),
        attention=VJEPA2_1.attention,
        num_frames=VJEPA2_1.num_frames,
        image_size=VJEPA2_1.image_size,
        position=VJEPA2_1.position,
        query_key=VJEPA2_1.query_key,
        pooling="normed_mean",
    )
    with torch.device("meta"):
        network = build_network(config)
    state = renamed(weights, NAMES, network, ["head"])
    notes = [*pictures, *levels, "video_mod_embed: became part of the patch layer's bias"]
    notes += [*wrapper_notes(found), *assumed(config)]
    if "predictor" in found:
        notes.append("the predictor of pre-training: left out")
    return Saved(config, state, [], prepared(config.size[0]), notes, heads_assumed=True, licence=LICENCE)
