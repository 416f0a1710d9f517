"""e4m3: floating point in 8 bits, four of exponent and three of mantissa, from 2^-9 to 448."""

import torch
from torch import Tensor

from vidattn.quantization.int8_product import SMALLEST

LARGEST = 448.0


def scaled(x: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """e4m3 numbers of the same shape, and what each is to be multiplied with: one number along an axis, of length 1.

    >>> numbers, scale = scaled(torch.tensor([[1.0, -2.0, 0.3]]), axis=1)
    >>> numbers.tolist(), [round(number, 4) for number in (numbers.float() * scale)[0].tolist()]
    ([[224.0, -448.0, 64.0]], [1.0, -2.0, 0.2857])

    Args:
        x: floats.
        axis: along which one scale counts; its largest number becomes 448.
    """
    scale = x.abs().amax(axis, keepdim=True).clamp_min(SMALLEST) / LARGEST
    return rounded(x / scale), scale


def rounded(x: Tensor) -> Tensor:
    """The nearest e4m3 numbers; what lies beyond 448 becomes 448."""
    return x.clamp(-LARGEST, LARGEST).to(torch.float8_e4m3fn)
