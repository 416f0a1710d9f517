"""MBConv: the inverted bottleneck that fills the early, convolutional stages of CoAtNet."""

from torch import Tensor, nn

from vidattn.attention.base import ImageAttention
from vidattn.checks import check_odd
from vidattn.macs import Macs


class MBConv(ImageAttention):
    """Norm, widen, mix each channel's neighbourhood, narrow; returns the update: a CoAtNet stage is `x + MBConv(x)`.

    CoAtNet, https://arxiv.org/abs/2106.04803, section 2 and appendix A.1: pre-activation batch norm, GELU, a batch norm
    after each of the first two convolutions. The paper's blocks of a stage after its first, which also halves the
    map. The squeeze-and-excitation inside the paper's block is left out: see `SqueezeExcite`.

    Args:
        dim: channels C.
        expansion: the inside is `expansion * C` channels wide.
        kernel_size: side of the neighbourhood in pixels, odd.

    Raises:
        ValueError: `kernel_size` is even.
    """

    sees, cost, paper = "k x k pixels, by convolution", "e k^2 N C", "CoAtNet 2106.04803"

    def __init__(self, dim: int, expansion: int = 4, kernel_size: int = 3) -> None:
        super().__init__()
        check_odd(kernel_size=kernel_size)
        self.dim = dim
        self.inner = expansion * dim
        self.kernel_size = kernel_size
        self.layers = nn.Sequential(
            nn.BatchNorm2d(dim),
            nn.Conv2d(dim, self.inner, kernel_size=1, bias=False),
            nn.BatchNorm2d(self.inner),
            nn.GELU(),
            nn.Conv2d(self.inner, self.inner, kernel_size, padding=kernel_size // 2, groups=self.inner, bias=False),
            nn.BatchNorm2d(self.inner),
            nn.GELU(),
            nn.Conv2d(self.inner, dim, kernel_size=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, H, W)` -> `(B, C, H, W)`."""
        return self.layers(x)

    def macs(self, height: int, width: int) -> Macs:
        """`2 e N C^2 + e k^2 N C`; the 1x1 convolutions count as linear."""
        pixels = height * width
        return Macs(
            linear=2 * pixels * self.dim * self.inner,
            convolution=self.kernel_size**2 * pixels * self.inner,
        )
