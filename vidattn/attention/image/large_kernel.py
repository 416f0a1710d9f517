"""Large-kernel attention: a wide, cheap convolution computes a gate for every pixel and channel."""

import torch
from torch import Tensor, nn

from vidattn.attention.base import ImageAttention, Role
from vidattn.macs import Macs
from vidattn.mistakes import Mistake


def depthwise(dim: int, kernel_size: int, dilation: int = 1) -> nn.Conv2d:
    """A convolution of each channel on its own that keeps the map's size."""
    padding = dilation * (kernel_size // 2)
    return nn.Conv2d(dim, dim, kernel_size, padding=padding, dilation=dilation, groups=dim)


def large_kernel(dim: int, dilated: int, dilation: int) -> nn.Sequential:
    """A wide convolution in three cheap ones: depthwise, depthwise with `dilated x dilated` spread taps, 1x1.

    The first is `2 dilation - 1` wide, enough to close the gaps between the taps of the second.
    """
    return nn.Sequential(
        depthwise(dim, 2 * dilation - 1), depthwise(dim, dilated, dilation), nn.Conv2d(dim, dim, kernel_size=1)
    )


class LargeKernelAttention(ImageAttention):
    """Each pixel and channel is scaled by a gate computed from about `K x K` pixels; returns the projected result.

    Visual Attention Network, https://arxiv.org/abs/2202.09741, section 3: `u = gelu(W1 x)`, then `W2 (u * lka(u))`
    with `lka` a depthwise, a dilated depthwise and a 1x1 convolution. The gate is no sigmoid: it may be any number.
    The official code adds the block's input to the result: there, write `x + block(x)`.

    Args:
        dim: channels C.
        kernel_size: width K of the convolution that the three stand for, in pixels.
        dilation: d; the first convolution has `2d - 1` taps a side, the dilated one `K / d`, rounded up, an odd number.

    Raises:
        ValueError: `kernel_size` and `dilation` ask for an even number of taps.
    """

    sees, cost, paper = "about 21 x 21 pixels, by convolutions", "74 N C", "VAN 2202.09741"
    role = Role(None, ("proj_out",), optional=True)

    def __init__(self, dim: int, kernel_size: int = 21, dilation: int = 3) -> None:
        super().__init__()
        self.dim = dim
        taps = -(-kernel_size // dilation)
        if taps % 2 == 0:
            raise Mistake(
                f"kernel_size={kernel_size} at dilation={dilation} needs {taps} taps a side, an even number; "
                f"nearest sizes are {dilation * (taps - 1)} and {dilation * (taps + 1)}"
            )
        self.area = (2 * dilation - 1) ** 2 + taps**2
        self.proj_in = nn.Conv2d(dim, dim, kernel_size=1)
        self.act = nn.GELU()
        self.lka = large_kernel(dim, taps, dilation)
        self.proj_out = nn.Conv2d(dim, dim, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, H, W)` -> `(B, C, H, W)`."""
        u = self.act(self.proj_in(x))
        return self.proj_out(u * self.lka(u))

    def macs(self, height: int, width: int) -> Macs:
        """`3 N C^2 + 74 N C` at the default kernel; the 1x1 convolutions count as linear."""
        pixels = height * width
        return Macs(linear=3 * pixels * self.dim**2, convolution=pixels * self.area * self.dim)


class MultiScaleLargeKernelAttention(ImageAttention):
    """Large-kernel attention at three scales, a third of the channels each; returns the projected result.

    MLKA of the Multi-scale Attention Network, https://arxiv.org/abs/2209.14145, section 3: with `a, v = W1 x`, each
    third of `a` becomes `gate(a) * lka(a)`, the gate a depthwise convolution; the whole then scales v: `W2 (mlka * v)`.
    The block is the update of the paper's equation, without its norm, learned scale and residual.

    Args:
        dim: channels C, at least 3; where 3 does not divide it, the first scales are one channel wider.

    Raises:
        ValueError: `dim` is below 3.
    """

    sees, cost, paper = "pixels at three scales, at most 39 x 39, by convolutions", "107 N C", "MAN 2209.14145"

    DILATIONS = (2, 3, 4)  # the paper's 3-5-1, 5-7-1 and 7-9-1: 2d - 1 taps, 2d + 1 taps spread by d, and the 1x1

    role = Role(None, ("proj_out",), optional=True)

    def __init__(self, dim: int) -> None:
        super().__init__()
        if dim < 3:
            raise Mistake(f"dim={dim} cannot be shared by three scales; take 3 or more")
        self.dim = dim
        self.widths = [(dim + 2 - scale) // 3 for scale in range(3)]
        scales = list(zip(self.widths, self.DILATIONS, strict=True))
        self.proj_in = nn.Conv2d(dim, 2 * dim, kernel_size=1)
        self.lkas = nn.ModuleList(large_kernel(width, 2 * d + 1, d) for width, d in scales)
        self.gates = nn.ModuleList(depthwise(width, 2 * d - 1) for width, d in scales)
        self.proj_out = nn.Conv2d(dim, dim, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, H, W)` -> `(B, C, H, W)`."""
        a, v = self.proj_in(x).chunk(2, dim=1)
        thirds = zip(a.split(self.widths, dim=1), self.gates, self.lkas, strict=True)
        return self.proj_out(torch.cat([gate(third) * lka(third) for third, gate, lka in thirds], dim=1) * v)

    def macs(self, height: int, width: int) -> Macs:
        """`10/3 N C^2 + 107 N C` where 3 divides C; the 1x1 convolutions count as linear."""
        pixels = height * width
        linear = 3 * self.dim**2 + sum(third**2 for third in self.widths)
        areas = [2 * (2 * d - 1) ** 2 + (2 * d + 1) ** 2 for d in self.DILATIONS]
        convolution = sum(third * area for third, area in zip(self.widths, areas, strict=True))
        return Macs(linear=pixels * linear, convolution=pixels * convolution)
