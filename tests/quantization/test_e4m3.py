from itertools import pairwise

import pytest
import torch

from vidattn.quantization.e4m3 import rounded, scaled


def number(bits):
    """What 8 bits mean, by the definition: a sign, four bits of exponent, three of mantissa."""
    sign, exponent, mantissa = -1 if bits >> 7 else 1, bits >> 3 & 15, bits & 7
    return sign * (mantissa * 2.0**-9 if exponent == 0 else (8 + mantissa) * 2.0 ** (exponent - 10))


GRID = sorted({number(bits) for bits in range(256) if bits & 127 != 127})  # that is NaN


def test_numbers_are_rounded_to_the_nearest_that_there_are_and_never_to_infinity():
    assert GRID[-1] == 448
    x = torch.cat((torch.randn(300) * 100, torch.randn(100) * 0.01, torch.tensor([1e9, -1e9, 500.0, 0.0])))
    for given, found in zip(x.tolist(), rounded(x).float().tolist(), strict=True):
        apart = min(abs(given - one) for one in GRID)
        assert found in GRID
        assert abs(given - found) == pytest.approx(apart)


def test_halves_go_to_the_even_mantissa_as_pytorch_rounds():
    halves = torch.tensor([(a + b) / 2 for a, b in pairwise(GRID)])
    assert torch.equal(rounded(halves).view(torch.uint8), halves.to(torch.float8_e4m3fn).view(torch.uint8))
    assert all(bits % 2 == 0 for bits in rounded(halves).view(torch.uint8).tolist())


def test_one_scale_for_each_row_or_column():
    x = torch.tensor([[1.0, -4.0], [1000.0, 3.0], [0.0, 0.0]])
    for axis in (0, 1):
        numbers, scale = scaled(x, axis)
        assert scale.shape[axis] == 1
        torch.testing.assert_close(numbers.float() * scale, x, rtol=1 / 16, atol=1e-6)
