"""Weights in 8 bits, activations as they are."""

import torch
import torch.nn.functional as F
from torch import Tensor

from vidattn.quantization.layer import QuantizedLinear, Range
from vidattn.quantization.rounding import int8_rows


class Int8Weights(QuantizedLinear):
    """A quarter of the file, the product in floating point: a row of weights has one scale.

    Args:
        in_features: width of what comes in.
        out_features: width of what goes out.
        bias: whether something is added at the end.

    Attributes:
        codes: int8 `(out, in)`.
        scale: float32 `(out,)`; a weight is its code times that of its row.
    """

    needs_torchao = True
    codes: Tensor
    scale: Tensor

    def __init__(self, in_features: int, out_features: int, bias: bool) -> None:
        super().__init__(in_features, out_features, bias)
        self.register_buffer("codes", torch.zeros(out_features, in_features, dtype=torch.int8))
        self.register_buffer("scale", torch.ones(out_features))

    def fill(self, weight: Tensor, values: Range | None) -> None:
        """Round weights `(out, in)` into the buffers."""
        self.codes, self.scale = int8_rows(weight)

    def forward(self, x: Tensor) -> Tensor:
        """`(..., in)` -> `(..., out)`."""
        found = F.linear(x, self.codes.to(x.dtype)) * self.scale.to(x.dtype)
        return found if self.bias is None else found + self.bias

    @classmethod
    def how(cls, device: torch.device) -> str:
        """How it is worked out on a device."""
        return "computed: weights made floats again at each product"
