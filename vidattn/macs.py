"""Cost of a module in multiply-accumulates. 1 MAC = 2 FLOPs; what papers call GFLOPs is mostly GMACs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Macs:
    """Multiply-accumulates of matrix products and convolutions; element-wise work counts nothing.

    This is the convention of the TimeSformer paper (its "TFLOPs" are MACs of three views) and, times two, of
    `torch.utils.flop_counter.FlopCounterMode`.

    >>> Macs(linear=3) + 2 * Macs(attention=1, convolution=4)
    Macs(linear=3, attention=2, convolution=8)
    >>> _.total
    13

    Attributes:
        linear: projections, MLPs, heads: products of activations with weights.
        attention: scores and weighted sums: products of activations with activations.
        convolution: convolutions of any kind, patch embeddings included.
    """

    linear: int = 0
    attention: int = 0
    convolution: int = 0

    @property
    def total(self) -> int:
        """All multiply-accumulates."""
        return self.linear + self.attention + self.convolution

    @property
    def flops(self) -> int:
        """Floating-point operations: 2 x MACs."""
        return 2 * self.total

    def __add__(self, other: Macs) -> Macs:
        return Macs(self.linear + other.linear, self.attention + other.attention, self.convolution + other.convolution)

    def __mul__(self, times: int) -> Macs:
        return Macs(self.linear * times, self.attention * times, self.convolution * times)

    __rmul__ = __mul__
