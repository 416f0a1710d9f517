"""Which layers are to be left alone: one made small at a time, and how far that moves the answers."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from vidattn.quantization.kinds import kind_named
from vidattn.quantization.layer import Range
from vidattn.quantization.recipe import linear_layers, put


def sensitivity(
    network: nn.Module,
    kind: str,
    layers: Sequence[str],
    clips: Tensor,
    ranges: Mapping[str, Range] | None = None,
    batch_size: int = 8,
) -> dict[str, float]:
    """By how much logits move when a layer alone is small: the norm of the difference over that of the logits about
    their mean, in the order of the layers.

    Args:
        network: in fp32; it is as before at the end.
        kind: a name of `vidattn.quantization.kinds.KINDS`; what it does to attention is left out.
        layers: names.
        clips: normalised, `(B, 3, T, H, W)`.
        ranges: of what the layers are given, where the kind needs to know.
        batch_size: clips at once.
    """
    made, parts = kind_named(kind), linear_layers(network)
    with torch.inference_mode():
        wanted = _logits(network, clips, batch_size)
        spread = (wanted - wanted.mean(0)).norm().clamp_min(1e-12)
        found = {}
        for name in layers:
            put(network, {name: made.of(parts[name], None if ranges is None else ranges[name])})
            found[name] = ((_logits(network, clips, batch_size) - wanted).norm() / spread).item()
            put(network, {name: parts[name]})
    return found


def _logits(network: nn.Module, clips: Tensor, batch_size: int) -> Tensor:
    return torch.cat([network(batch).float() for batch in clips.split(batch_size)])
