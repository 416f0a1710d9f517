"""MBConv with squeeze-and-excitation: the block of CoAtNet's convolutional stages, whole."""

from torch import Tensor, nn

from vidattn.attention.base import ImageAttention
from vidattn.checks import check_odd
from vidattn.macs import Macs


class SqueezedMBConv(ImageAttention):
    """Norm, widen, mix each channel's neighbourhood, scale the channels by a gate, narrow; returns the update.

    CoAtNet, https://arxiv.org/abs/2106.04803, section 2.1 and appendix A.1, as in timm's `coatnet_0`: the widening is
    of the width that leaves, and the gate (https://arxiv.org/abs/1709.01507, with SiLU) has a quarter of that width
    inside. It norms its input itself and is a block of its own: in a network of stages no norm stands before it and no
    MLP behind it. `MBConv` is the same without the gate, for blocks of any kind.

    Args:
        dim: channels C.
        expansion: the inside is `expansion` times as wide as what leaves.
        kernel_size: side of the neighbourhood in pixels, odd.
        out_dim: channels that leave; C by default.
        stride: of the neighbourhoods; the map becomes smaller by it, rounded up.

    Raises:
        ValueError: `kernel_size` is even.
    """

    sees, cost, paper = "the map, by convolution and a gate", "e k^2 N C", "CoAtNet 2106.04803"
    stands_alone = True

    def __init__(
        self, dim: int, expansion: int = 4, kernel_size: int = 3, *, out_dim: int | None = None, stride: int = 1
    ) -> None:
        super().__init__()
        check_odd(kernel_size=kernel_size)
        self.dim, self.out_dim = dim, out_dim or dim
        self.inner, self.hidden = expansion * self.out_dim, max(1, self.out_dim // 4)
        self.kernel_size, self.stride = kernel_size, stride
        self.norm = nn.BatchNorm2d(dim)
        self.widen = nn.Sequential(
            nn.Conv2d(dim, self.inner, kernel_size=1, bias=False), nn.BatchNorm2d(self.inner), nn.GELU()
        )
        self.mix = nn.Sequential(
            nn.Conv2d(self.inner, self.inner, kernel_size, stride, kernel_size // 2, groups=self.inner, bias=False),
            nn.BatchNorm2d(self.inner),
            nn.GELU(),
        )
        self.gate = nn.Sequential(
            nn.Linear(self.inner, self.hidden), nn.SiLU(), nn.Linear(self.hidden, self.inner), nn.Sigmoid()
        )
        self.narrow = nn.Conv2d(self.inner, self.out_dim, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, H, W)` -> `(B, C', H / stride, W / stride)`, rounded up."""
        x = self.mix(self.widen(self.norm(x)))
        return self.narrow(x * self.gate(x.mean((2, 3)))[:, :, None, None])

    def macs(self, height: int, width: int) -> Macs:
        """`e C' (N C + n C' + k^2 n)` with n pixels that leave, and `e C'^2 / 2` in the gate."""
        pixels, left = height * width, -(-height // self.stride) * -(-width // self.stride)
        return Macs(
            linear=self.inner * (pixels * self.dim + left * self.out_dim + 2 * self.hidden),
            convolution=self.kernel_size**2 * left * self.inner,
        )
