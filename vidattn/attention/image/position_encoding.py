"""Conditional position encoding: a small convolution tells each pixel where it is."""

from torch import Tensor, nn

from vidattn.attention.base import ImageAttention, Role
from vidattn.checks import check_odd
from vidattn.macs import Macs


class PositionalEncodingGenerator(ImageAttention):
    """Adds to each pixel a depthwise convolution of its neighbourhood; returns the sum.

    PEG of Conditional Positional Encodings for Vision Transformers, https://arxiv.org/abs/2102.10882, section 3.2.
    Zeros around the map are what gives absolute position away. It stands after the first block of a transformer and
    takes the place of a position table, at any map size.

    Args:
        dim: channels C.
        kernel_size: side of the neighbourhood in pixels, odd.

    Raises:
        ValueError: `kernel_size` is even.
    """

    sees, cost, paper = "k x k pixels, by convolution", "k^2 N C", "CPVT 2102.10882"
    role = Role(None, ("conv",), optional=True)

    def __init__(self, dim: int, kernel_size: int = 3) -> None:
        super().__init__()
        check_odd(kernel_size=kernel_size)
        self.dim = dim
        self.kernel_size = kernel_size
        self.conv = nn.Conv2d(dim, dim, kernel_size, padding=kernel_size // 2, groups=dim)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, H, W)` -> `(B, C, H, W)`."""
        return x + self.update(x)

    def update(self, x: Tensor) -> Tensor:
        """The encoding."""
        return self.conv(x)

    def macs(self, height: int, width: int) -> Macs:
        """`k^2 N C`."""
        return Macs(convolution=self.kernel_size**2 * height * width * self.dim)
