"""CBAM: first which channels matter, then where. Either half also stands alone."""

import torch
from torch import Tensor, nn

from vidattn.attention.base import ImageAttention
from vidattn.checks import check_odd
from vidattn.macs import Macs


class ChannelAttention(ImageAttention):
    """Scales each channel by a gate in (0, 1), computed from the channels' means and maxima; returns the scaled map.

    CBAM, https://arxiv.org/abs/1807.06521, section 3, equation 2: `x * sigmoid(mlp(mean(x)) + mlp(max(x)))` with one
    MLP for both. The MLP has biases, as in the official code.

    Args:
        dim: channels C.
        reduction: the MLP's hidden layer has `C / reduction` units, at least one; "r" in the paper.
    """

    sees, cost, paper = "the map's mean and maximum, as a gate", "C^2 / r", "CBAM 1807.06521"

    def __init__(self, dim: int, reduction: int = 16) -> None:
        super().__init__()
        self.dim = dim
        self.hidden = max(1, dim // reduction)
        self.mlp = nn.Sequential(nn.Linear(dim, self.hidden), nn.ReLU(inplace=True), nn.Linear(self.hidden, dim))

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, H, W)` -> `(B, C, H, W)`."""
        gate = torch.sigmoid(self.mlp(x.mean((2, 3))) + self.mlp(x.amax((2, 3))))
        return x * gate[:, :, None, None]

    def macs(self, height: int, width: int) -> Macs:
        """`4 C^2 / r`: the MLP runs twice."""
        return Macs(linear=4 * self.dim * self.hidden)


class SpatialGate(ImageAttention):
    """Scales each pixel by a gate in (0, 1), computed from its neighbourhood; returns the scaled map.

    CBAM, https://arxiv.org/abs/1807.06521, section 3, equation 3: `x * sigmoid(conv([mean_c(x); max_c(x)]))`. The
    convolution has no bias and a batch norm after it, as in the official code (which stacks the maximum first).

    Args:
        dim: channels C; the weights do not depend on it.
        kernel_size: side of the neighbourhood in pixels, odd.

    Raises:
        ValueError: `kernel_size` is even.
    """

    sees, cost, paper = "k x k pixels, as a gate of pixels", "k^2 N", "CBAM 1807.06521"

    def __init__(self, dim: int, kernel_size: int = 7) -> None:
        super().__init__()
        check_odd(kernel_size=kernel_size)
        self.kernel_size = kernel_size
        self.conv = nn.Conv2d(2, 1, kernel_size, padding=kernel_size // 2, bias=False)
        self.norm = nn.BatchNorm2d(1)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, H, W)` -> `(B, C, H, W)`."""
        pooled = torch.cat((x.mean(1, keepdim=True), x.amax(1, keepdim=True)), dim=1)
        return x * torch.sigmoid(self.norm(self.conv(pooled)))

    def macs(self, height: int, width: int) -> Macs:
        """`2 k^2 N`, whatever the width."""
        return Macs(convolution=2 * self.kernel_size**2 * height * width)


class CBAM(ImageAttention):
    """`ChannelAttention`, then `SpatialGate`; returns the map scaled by both.

    CBAM: Convolutional Block Attention Module, https://arxiv.org/abs/1807.06521, equation 1. Channels first is the
    order that the paper found best.

    Args:
        dim: channels C.
        reduction: of the channel half.
        kernel_size: of the spatial half, odd.

    Raises:
        ValueError: `kernel_size` is even.
    """

    sees, cost, paper = "both gates", "C^2 / r + k^2 N", "CBAM 1807.06521"

    def __init__(self, dim: int, reduction: int = 16, kernel_size: int = 7) -> None:
        super().__init__()
        self.channel = ChannelAttention(dim, reduction)
        self.spatial = SpatialGate(dim, kernel_size)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, H, W)` -> `(B, C, H, W)`."""
        return self.spatial(self.channel(x))

    def macs(self, height: int, width: int) -> Macs:
        """`4 C^2 / r + 2 k^2 N`."""
        return self.channel.macs(height, width) + self.spatial.macs(height, width)
