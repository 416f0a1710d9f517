"""Weights and activations in e4m3, 8 bits of floating point; attention weighs its values in it too."""

from functools import cache
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from vidattn.quantization.e4m3 import scaled
from vidattn.quantization.layer import QuantizedLinear, Range


class Fp8(QuantizedLinear):
    """Both sides of the product in e4m3 (https://arxiv.org/abs/2209.05433): each row of weights and each token has a
    scale that brings its largest number to 448.

    Args:
        in_features: width of what comes in.
        out_features: width of what goes out.
        bias: whether something is added at the end.

    Attributes:
        codes: the bits as uint8 `(out, in)`, so that no cast of a network to another type touches them.
        scale: float32 `(out,)`; a weight is its e4m3 number times that of its row.
    """

    products_in_e4m3: ClassVar[bool] = True
    not_exported: ClassVar[str] = (
        "neither ONNX nor a .pt2 for any machine has products in e4m3; take int8-weights, or export the checkpoint "
        "that it was made of"
    )
    codes: Tensor
    scale: Tensor

    def __init__(self, in_features: int, out_features: int, bias: bool) -> None:
        super().__init__(in_features, out_features, bias)
        self.register_buffer("codes", torch.zeros(out_features, in_features, dtype=torch.uint8))
        self.register_buffer("scale", torch.ones(out_features))

    def fill(self, weight: Tensor, values: Range | None) -> None:
        """Round weights `(out, in)` into the buffers."""
        codes, scale = scaled(weight, 1)
        self.codes, self.scale = codes.view(torch.uint8), scale.flatten()

    def forward(self, x: Tensor) -> Tensor:
        """`(..., in)` -> `(..., out)`."""
        rows, step = scaled(x.reshape(-1, self.in_features).float(), 1)
        weight = self.codes.view(torch.float8_e4m3fn)
        if computes(x.device) and not self.in_features % 16 and not self.out_features % 16:
            found = by_scaled_mm(rows, step, weight, self.scale).float()
        else:
            found = simulated(rows, step, weight, self.scale)
        if self.bias is not None:
            found = found + self.bias
        return found.view(*x.shape[:-1], -1).to(x.dtype)

    @classmethod
    def how(cls, device: torch.device) -> str:
        """How it is worked out on a device."""
        if computes(device):
            return "computed: linear layers by torch._scaled_mm; simulated: attention, by e4m3 numbers as floats"
        return "simulated: the same e4m3 numbers, multiplied as floats"


def simulated(rows: Tensor, step: Tensor, weight: Tensor, scale: Tensor) -> Tensor:
    """`(rows * step) @ (weight * scale)^T` of e4m3 numbers, worked out as floats, in which each product is exact.

    Args:
        rows: e4m3 `(M, K)`.
        step: float32 `(M, 1)`.
        weight: e4m3 `(N, K)`.
        scale: float32 `(N,)`.
    """
    return F.linear(rows.float(), weight.float()) * step * scale


def by_scaled_mm(rows: Tensor, step: Tensor, weight: Tensor, scale: Tensor) -> Tensor:
    """The same by the processor's own products; bf16 `(M, N)`, as the kernel gives no other."""
    return torch._scaled_mm(rows, weight.t(), scale_a=step, scale_b=scale[None], out_dtype=torch.bfloat16)


@cache
def computes(device: torch.device) -> bool:
    """Whether a device multiplies e4m3 numbers itself, found out by doing so."""
    if device.type != "cuda":
        return False
    try:
        ones = torch.ones(32, 32, device=device)
        rows, step = scaled(ones, 1)
        return bool((by_scaled_mm(rows, step, rows, step.flatten()) == 32).all())
    except (RuntimeError, AttributeError, ValueError):
        return False
