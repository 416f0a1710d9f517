"""What linear layers are given, measured while a network answers about clips."""

from collections.abc import Iterable, Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from vidattn.attention.parts import QueryValueBias
from vidattn.mistakes import Mistake
from vidattn.quantization.layer import Range
from vidattn.quantization.recipe import linear_layers, put

Clip = Literal["minmax", "percentile"]

TAIL = 0.001
"""Share of the values that `percentile` cuts off at either end."""

SAMPLE = 1 << 16
"""Values of a batch that its percentiles are taken of, evenly spread."""


class _Watched(nn.Module):
    """A linear layer that notes what it is given. It has no `weight`, so that nobody multiplies with that himself."""

    def __init__(self, layer: nn.Linear | QueryValueBias, clip: Clip) -> None:
        super().__init__()
        self.layer = layer
        self.clip = clip
        self.lows: list[float] = []
        self.highs: list[float] = []

    def forward(self, x: Tensor) -> Tensor:
        values = x.detach().flatten().float()
        if self.clip == "minmax":
            low, high = values.aminmax()
        else:
            few = values[:: max(1, len(values) // SAMPLE)]
            low, high = few.quantile(TAIL), few.quantile(1 - TAIL)
        self.lows.append(low.item())
        self.highs.append(high.item())
        return self.layer(x)

    def range(self) -> Range:
        if self.clip == "minmax":
            return Range(min(0.0, *self.lows), max(0.0, *self.highs))
        mean_low, mean_high = (sum(ends) / len(ends) for ends in (self.lows, self.highs))
        return Range(min(0.0, mean_low), max(0.0, mean_high))


def measured_ranges(
    network: nn.Module, names: Sequence[str], batches: Iterable[Tensor], clip: Clip = "percentile"
) -> dict[str, Range]:
    """Between which values the inputs of layers lie.

    Args:
        network: in floating point; it is as before at the end.
        names: of linear layers.
        batches: normalised clips `(B, 3, T, H, W)`.
        clip: minmax: the extremes; percentile: the mean over batches of the values at 0.1% and 99.9%, so that a few
            outliers do not take the room of all others. Both hold 0.

    Raises:
        ValueError: there is no such way, no clip, or a layer that no clip goes through.
    """
    if clip not in get_args(Clip):
        raise Mistake(f"clip={clip!r} is unknown; choose one of {', '.join(get_args(Clip))}")
    layers = linear_layers(network)
    watched = {name: _Watched(layers[name], clip) for name in names}
    put(network, watched)
    try:
        with torch.no_grad():
            for batch in batches:
                network(batch)
    finally:
        put(network, {name: layers[name] for name in names})
    if not any(one.lows for one in watched.values()):
        raise Mistake("there is no clip to calibrate on; none of the videos could be read")
    if unseen := [name for name, one in watched.items() if not one.lows]:
        raise Mistake(f"no clip goes through {unseen[0]}, so its range is not known; leave it out: --skip {unseen[0]}")
    return {name: one.range() for name, one in watched.items()}
