"""Products of 8-bit numbers, by whatever PyTorch has for them on a device."""

from functools import cache
from typing import Any

import torch
from torch import Tensor

SMALLEST = 1e-12
"""The least scale: rows of zeros need one too."""


def levels(device: torch.device) -> int:
    """The largest absolute value that activations may be rounded to: 127, or 63 where sums would overflow.

    A CPU without VNNI (or AMX) adds two products of 8 bits in 16, and too large a sum is silently cut off: there 7 bits
    are all that is exact. What it does is tried once with the largest numbers that there are.
    """
    return 127 if device.type != "cpu" or not _one_dnn() or _exact_with(127) else 63


def pack(codes: Tensor) -> Any:
    """int8 weights `(N, K)` as the kernel of their device wants them; None where it takes them as they are."""
    return _packed(codes) if codes.device.type == "cpu" and _one_dnn() else None


def int8_product(x: Tensor, zero: int, codes: Tensor, scale: Tensor, packed: Any) -> Tensor:
    """`(x - zero) @ codes^T * scale`, float32 `(M, N)`.

    Args:
        x: uint8 `(M, K)`, at most `2 * levels + 1`.
        zero: which of these means 0.
        codes: int8 `(N, K)`.
        scale: float32 `(N,)`.
        packed: what `pack` made of the codes.
    """
    if packed is not None:
        return _by_one_dnn(x, zero, scale, packed)
    if _by_int_mm(x, codes):
        middle = 128  # signed numbers in, and what was taken away too much is given back
        found = torch._int_mm((x.short() - middle).to(torch.int8), codes.t())
        lost = (middle - zero) * codes.sum(1, dtype=torch.int32)
        return (found + lost) * scale
    return (x.float() - zero) @ codes.float().t() * scale


def how_int8(device: torch.device) -> str:
    """How such a product is worked out there, in words."""
    if device.type == "cpu" and _one_dnn():
        bits = "8 bits" if levels(device) == 127 else "7 bits, as this CPU has no VNNI"
        return f"computed: products of int8 by oneDNN, activations of {bits}"
    if device.type == "cuda":
        return "computed: products of int8 by torch._int_mm"
    return "simulated: the same 8-bit numbers, multiplied as floats"


@cache
def _one_dnn() -> bool:
    """Whether PyTorch was built with oneDNN's quantised layers, and they run on this CPU."""
    try:
        return bool(_exact_with(1))
    except (RuntimeError, AttributeError, NotImplementedError):
        return False


@cache
def _exact_with(limit: int) -> bool:
    """Whether a sum of the largest products is right."""
    codes = torch.full((16, 64), 127, dtype=torch.int8)
    x = torch.full((4, 64), 2 * limit + 1, dtype=torch.uint8)
    found = _by_one_dnn(x, 0, torch.ones(16), _packed(codes))
    return bool((found == 64 * 127 * (2 * limit + 1)).all())


def _packed(codes: Tensor) -> Any:
    return torch.ops.onednn.qlinear_prepack(codes, None)


def _by_one_dnn(x: Tensor, zero: int, scale: Tensor, packed: Any) -> Tensor:
    zeros = torch.zeros(len(scale), dtype=torch.int64)
    return torch.ops.onednn.qlinear_pointwise(
        x, 1.0, zero, packed, scale, zeros, None, 1.0, 0, torch.float32, "none", [], ""
    )


def _by_int_mm(x: Tensor, codes: Tensor) -> bool:
    """Whether the sizes are those that CUDA's kernel takes."""
    return x.device.type == "cuda" and len(x) > 16 and not codes.shape[0] % 8 and not codes.shape[1] % 8
