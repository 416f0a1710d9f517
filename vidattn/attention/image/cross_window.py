"""CSWin's cross-shaped windows: half of the heads attend in horizontal stripes, the others in vertical ones."""

import torch
from einops import rearrange
from torch import Tensor, nn

from vidattn.attention.base import ImageAttention, Role
from vidattn.attention.heads import attend, heads_of
from vidattn.attention.parts import VIT, Parts
from vidattn.checks import check_positive
from vidattn.macs import Macs
from vidattn.mistakes import Mistake


class CrossShapedWindowAttention(ImageAttention):
    """Half of the heads attend in stripes of `stripe_width` rows, half in stripes of as many columns; LePE is added.

    CSWin Transformer, https://arxiv.org/abs/2107.00652, section 3.2 (stripes) and 3.3 (locally-enhanced positional
    encoding: a 3 x 3 depth-wise convolution of the values, which like the attention stays within its stripe). The
    first half of the channels takes the horizontal stripes, as in the paper; the official code gives it the vertical
    ones. Where the width does not divide the map, the last stripe is narrower: nothing is padded.

    Args:
        dim: channels C; a multiple of `num_heads`.
        stripe_width: rows (columns) of a stripe; the paper takes 1, 2, 7, 7 from stage to stage.
        num_heads: number of heads, even; by default C / 64, rounded down to an even number, at least 2.
        parts: what the layers are made of.

    Raises:
        ValueError: `stripe_width` is below 1, `num_heads` odd, or `dim` not a multiple of `num_heads`.
    """

    sees, cost, paper = "stripes of w rows and of w columns", "N w (H + W) C", "CSWin 2107.00652"
    role = Role("", ("proj",), optional=True)

    def __init__(self, dim: int, stripe_width: int = 7, num_heads: int | None = None, *, parts: Parts = VIT) -> None:
        super().__init__()
        num_heads = heads_of(dim, num_heads or 2 * max(1, dim // 128))
        if num_heads % 2:
            raise Mistake(f"num_heads={num_heads} is odd; half of the heads take rows and half columns")
        check_positive(stripe_width=stripe_width)
        self.dim = dim
        self.stripe_width = stripe_width
        self.qkv = parts.linear(dim, 3 * dim)
        self.rows = _Stripes(dim // 2, stripe_width, num_heads // 2)
        self.columns = _Stripes(dim // 2, stripe_width, num_heads // 2)
        self.proj = parts.linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, H, W)` -> `(B, C, H, W)`."""
        qkv = rearrange(self.qkv(x.movedim(1, -1)), "b h w (three half c) -> half b h w three c", three=3, half=2)
        rows = self.rows(qkv[0])
        columns = self.columns(qkv[1].transpose(1, 2)).transpose(1, 2)
        return self.proj(torch.cat((rows, columns), dim=-1)).movedim(-1, 1)

    def macs(self, height: int, width: int) -> Macs:
        """`4 N C^2 + s N (H + W) C + 9 N C` for stripes of s that divide the map."""
        n, s = height * width, self.stripe_width
        pairs = width**2 * _squares(height, s) + height**2 * _squares(width, s)
        return Macs(linear=4 * n * self.dim**2, attention=pairs * self.dim, convolution=9 * n * self.dim)


class _Stripes(nn.Module):
    """Attention within stripes along the first axis of a map, plus a convolution of each stripe's values."""

    def __init__(self, dim: int, stripe_width: int, num_heads: int) -> None:
        super().__init__()
        self.stripe_width = stripe_width
        self.num_heads = num_heads
        self.lepe = nn.Conv2d(dim, dim, kernel_size=3, padding=1, groups=dim)

    def forward(self, qkv: Tensor) -> Tensor:
        """`(B, L, M, 3, C)` -> `(B, L, M, C)`."""
        length = qkv.shape[1]
        whole = length - length % self.stripe_width
        stripes = [self._attend(qkv[:, :whole], self.stripe_width)] if whole else []
        if whole < length:
            stripes.append(self._attend(qkv[:, whole:], length - whole))
        return torch.cat(stripes, dim=1)

    def _attend(self, qkv: Tensor, width: int) -> Tensor:
        """Stripes of `width`, which divides the axis."""
        pattern = "b (i s) m three (heads d) -> three (b i) heads (s m) d"
        q, k, v = rearrange(qkv, pattern, s=width, heads=self.num_heads)
        local = self.lepe(rearrange(v, "bi heads (s m) d -> bi (heads d) s m", s=width))
        mixed = rearrange(attend(q, k, v), "bi heads (s m) d -> bi (heads d) s m", s=width)
        return rearrange(mixed + local, "(b i) c s m -> b (i s) m c", i=qkv.shape[1] // width)


def _squares(length: int, width: int) -> int:
    """The sum of the squared widths of an axis's stripes."""
    return length // width * width**2 + (length % width) ** 2
