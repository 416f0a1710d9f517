import itertools

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidattn.attention.image.large_kernel import LargeKernelAttention, MultiScaleLargeKernelAttention


def test_cost_is_the_reference():
    block = LargeKernelAttention(768)
    assert sum(parameter.numel() for parameter in block.parameters()) == 1_830_144
    assert 8 * block.macs(14, 14).total == 2_863_644_672


def test_cost_of_the_multi_scale_block_is_its_formula():
    assert MultiScaleLargeKernelAttention(768).macs(14, 14).total == 14 * 14 * (10 * 768**2 // 3 + 107 * 768)


def pointwise(x: Tensor, conv: nn.Conv2d) -> Tensor:
    return torch.einsum("oc, bchw -> bohw", conv.weight[:, :, 0, 0], x) + conv.bias[:, None, None]


def depthwise(x: Tensor, conv: nn.Module, kernel_size: int, dilation: int) -> Tensor:
    """A sum of shifted maps, one per tap."""
    height, width = x.shape[2:]
    reach = dilation * (kernel_size // 2)
    padded = F.pad(x, (reach,) * 4)
    total = conv.bias[:, None, None].expand_as(x)
    for row, column in itertools.product(range(kernel_size), repeat=2):
        top, left = dilation * row, dilation * column
        shifted = padded[:, :, top : top + height, left : left + width]
        total = total + conv.weight[:, 0, row, column, None, None] * shifted
    return total


def large_kernel(x: Tensor, layers: nn.Sequential, local: int, dilated: int, dilation: int) -> Tensor:
    return pointwise(depthwise(depthwise(x, layers[0], local, 1), layers[1], dilated, dilation), layers[2])


def assert_same(block: nn.Module, oracle, dim: int) -> None:
    x = torch.randn(2, dim, 9, 12, dtype=torch.float64, requires_grad=True)
    y = torch.randn_like(x)
    torch.testing.assert_close(block(x), oracle(x))
    torch.testing.assert_close(*(torch.autograd.grad((function(x) * y).sum(), x)[0] for function in (block, oracle)))


@pytest.mark.parametrize(("args", "taps"), [((), (5, 7, 3)), ((9, 2), (3, 5, 2))])
def test_agrees_with_shifted_sums(args, taps):
    block = LargeKernelAttention(6, *args).double()

    def oracle(x: Tensor) -> Tensor:
        u = F.gelu(pointwise(x, block.proj_in))
        return pointwise(u * large_kernel(u, block.lka, *taps), block.proj_out)

    assert_same(block, oracle, dim=6)


@pytest.mark.parametrize(("dim", "widths"), [(6, [2, 2, 2]), (8, [3, 3, 2])])
def test_multi_scale_agrees_with_shifted_sums(dim, widths):
    block = MultiScaleLargeKernelAttention(dim).double()

    def oracle(x: Tensor) -> Tensor:
        inside = pointwise(x, block.proj_in)
        small, middle, large = inside[:, :dim].split(widths, dim=1)
        mlka = (
            depthwise(small, block.gates[0], 3, 1) * large_kernel(small, block.lkas[0], 3, 5, 2),
            depthwise(middle, block.gates[1], 5, 1) * large_kernel(middle, block.lkas[1], 5, 7, 3),
            depthwise(large, block.gates[2], 7, 1) * large_kernel(large, block.lkas[2], 7, 9, 4),
        )
        return pointwise(torch.cat(mlka, dim=1) * inside[:, dim:], block.proj_out)

    assert_same(block, oracle, dim)


@pytest.mark.parametrize(
    ("block", "radius"),
    [(LargeKernelAttention(6), 11), (LargeKernelAttention(6, 9, 2), 5), (MultiScaleLargeKernelAttention(6), 19)],
)
def test_one_pixel_moves_a_full_square_and_no_more(block, radius):
    block = block.double()
    for parameter in block.parameters():
        nn.init.normal_(parameter)
    x = torch.randn(1, 6, 41, 41, dtype=torch.float64)
    nudged = x.clone()
    nudged[..., 20, 20] += 1
    moved = (block(nudged) - block(x))[0].abs().amax(0) > 1e-9
    expected = torch.zeros(41, 41, dtype=torch.bool)
    expected[20 - radius : 21 + radius, 20 - radius : 21 + radius] = True
    assert torch.equal(moved, expected)


def test_an_even_number_of_taps_is_refused():
    with pytest.raises(ValueError, match=r"kernel_size=12 at dilation=3 needs 4 taps.*nearest sizes are 9 and 15"):
        LargeKernelAttention(8, kernel_size=12)


def test_three_scales_need_three_channels():
    with pytest.raises(ValueError, match=r"dim=2 cannot be shared by three scales"):
        MultiScaleLargeKernelAttention(2)
