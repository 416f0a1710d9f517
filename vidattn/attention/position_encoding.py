"""Conditional position encoding of a clip: a small convolution tells each token where and when it is."""

from torch import Tensor, nn, zeros_like

from vidattn.attention.base import Role, VideoAttention
from vidattn.checks import check_odd
from vidattn.grid import Grid
from vidattn.macs import Macs


class PositionalEncodingGenerator3D(VideoAttention):
    """A depthwise convolution of each token's neighbourhood in space and time; prefix tokens get a zero update.

    PEG of Conditional Positional Encodings for Vision Transformers, https://arxiv.org/abs/2102.10882, section 3.2, with
    a time axis: zeros around the clip are what gives absolute position away. `peg` is the paper's, on each frame.

    Args:
        dim: token width D.
        num_heads: offered to every step; there are no heads here.
        kernel_size: side of the neighbourhood in frames, rows and columns, odd.

    Raises:
        ValueError: `kernel_size` is even.
    """

    moves_prefix = False
    role = Role(None, ("conv",), optional=True)

    def __init__(self, dim: int, num_heads: int | None = None, kernel_size: int = 3) -> None:
        super().__init__()
        check_odd(kernel_size=kernel_size)
        self.conv = nn.Conv3d(dim, dim, kernel_size, padding=kernel_size // 2, groups=dim)

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """`(B, S, D)` -> `(B, S, D)`."""
        prefix, video = grid.split(x)
        return grid.join(zeros_like(prefix), self.conv(video.movedim(-1, 1)).movedim(1, -1))

    def macs(self, grid: Grid) -> Macs:
        """`k^3 M D`."""
        return Macs(convolution=grid.num_video_tokens * self.conv.weight.numel())
