"""Weights in 4 bits, activations as they are."""

import torch
import torch.nn.functional as F
from torch import Tensor

from vidattn.quantization.layer import QuantizedLinear, Range
from vidattn.quantization.rounding import int4_groups

GROUPS = (64, 32, 16, 8)
"""Weights of a row that share a scale: the most of these that divide the row."""


class Int4Weights(QuantizedLinear):
    """About a seventh of the file, the product in floating point: groups of a row's weights have a scale and a zero.

    Args:
        in_features: width of what comes in.
        out_features: width of what goes out.
        bias: whether something is added at the end.

    Attributes:
        codes: uint8 `(out, in / 2)`, two weights each: the first of a pair in the lower four bits. Of rows of an odd
            length the last pair is half empty.
        scale: float32 `(out, in / group)`.
        zero: uint8 `(out, in / group)`; a weight is its code less the zero, times the scale.
    """

    needs_torchao = True
    codes: Tensor
    scale: Tensor
    zero: Tensor

    def __init__(self, in_features: int, out_features: int, bias: bool) -> None:
        super().__init__(in_features, out_features, bias)
        self.group = next((size for size in GROUPS if in_features % size == 0), in_features)
        groups = in_features // self.group
        self.register_buffer("codes", torch.zeros(out_features, (in_features + 1) // 2, dtype=torch.uint8))
        self.register_buffer("scale", torch.ones(out_features, groups))
        self.register_buffer("zero", torch.zeros(out_features, groups, dtype=torch.uint8))

    def fill(self, weight: Tensor, values: Range | None) -> None:
        """Round weights `(out, in)` into the buffers."""
        codes, self.scale, self.zero = int4_groups(weight, self.group)
        codes = F.pad(codes, (0, self.in_features % 2))
        self.codes = codes[:, ::2] | codes[:, 1::2] << 4

    def forward(self, x: Tensor) -> Tensor:
        """`(..., in)` -> `(..., out)`."""
        return F.linear(x, self.weights().to(x.dtype), self.bias)

    def weights(self) -> Tensor:
        """What they are as floats, `(out, in)`."""
        codes = torch.stack((self.codes & 15, self.codes >> 4), dim=2).flatten(1)[:, : self.in_features]
        grouped = codes.float().unflatten(1, (-1, self.group)) - self.zero.float().unsqueeze(2)
        return (grouped * self.scale.unsqueeze(2)).flatten(1)

    @classmethod
    def how(cls, device: torch.device) -> str:
        """How it is worked out on a device."""
        return "computed: weights made floats again at each product"
