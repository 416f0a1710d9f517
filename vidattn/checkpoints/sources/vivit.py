"""Hugging Face's ViViT (`VivitForVideoClassification`): model 1 of https://arxiv.org/abs/2103.15691."""

import torch
from torch import Tensor

from vidattn.checkpoints.foreign import Foreign
from vidattn.checkpoints.hf_config import HARMLESS, activation, num_classes, prefixed, vit_sizes
from vidattn.checkpoints.native import floored, floored_sides
from vidattn.checkpoints.renaming import WeightsError, renamed, without
from vidattn.checkpoints.saved import Saved
from vidattn.checkpoints.sources.vit import hf_names
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import build_network

PIXELS = {"mean": [0.75] * 3, "std": [0.25] * 3}
"""Of pixels in [0, 1]: its processor makes them -1 to 1, then takes mean and std 0.5 of those."""


def read(config: Foreign, weights: dict[str, Tensor]) -> Saved:
    """What `VivitForVideoClassification` or `VivitModel` saved: `config.json` and the weights.

    Raises:
        WeightsError: the tubelets are not square, or the weights do not fit; a value of the configuration is of another
            kind, or a key of it is not known.
    """
    weights = prefixed(weights, "vivit", "classifier")
    weights, notes = without(weights, ("vivit.pooler.",), "the pooler, which no classifier uses")
    classes, absent = num_classes(weights)
    tubelet, height, width = _tubelet(config)
    if height != width:
        raise WeightsError(f"tubelet_size={tubelet}x{height}x{width}: vidattn's are square")
    size, cut = floored_sides(config.sides("image_size", 224), height)
    frames, left = floored("num_frames", config.whole("num_frames", 32), tubelet)
    notes += [*cut, *left]
    ours = VideoTransformerConfig(
        attention="joint",
        num_classes=classes,
        num_frames=frames,
        image_size=size,
        patch_size=height,
        tubelet_size=tubelet,
        position="token",
        **vit_sizes(config, norm_eps=1e-6),
        activation=activation(config, "gelu_fast"),
        qkv_bias="all" if config.switch("qkv_bias", True) else "none",
    )
    config.refuse_others(HARMLESS | {"video_size"})  # the size and frames once more, in Google's own files
    with torch.device("meta"):
        network = build_network(ours)
    return Saved(ours, renamed(weights, hf_names("vivit", weights), network, absent), notes=notes)


def _tubelet(config: Foreign) -> tuple[int, int, int]:
    """Frames, height and width."""
    found = config.raw("tubelet_size") if "tubelet_size" in config else (2, 16, 16)
    if isinstance(found, list | tuple) and len(found) == 3 and all(type(one) is int and one > 0 for one in found):
        return found[0], found[1], found[2]
    raise config.error("tubelet_size", "three whole numbers above 0: frames, height and width")
