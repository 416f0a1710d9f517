"""Neighborhood attention: every pixel attends to its k x k nearest pixels, dilated or not."""

import torch
from torch import Tensor, nn

from vidattn.attention.base import ImageAttention, Role
from vidattn.attention.heads import heads_of
from vidattn.attention.image.pixel_windows import inward, local_attention
from vidattn.attention.parts import VIT, Parts
from vidattn.checks import check_odd, check_positive
from vidattn.macs import Macs


class NeighborhoodAttention(ImageAttention):
    """Every pixel attends to its k x k nearest pixels, itself included, with a relative position bias.

    Neighborhood Attention Transformer, https://arxiv.org/abs/2204.07143, section 3.1; dilated: DiNAT,
    https://arxiv.org/abs/2209.15001, section 3.2. At the border the window moves inward, so that every query keeps
    k*k keys; the bias table covers the offsets of -(k - 1) to k - 1 that this takes. With `dilation`, pixels whose
    rows and columns leave the same remainders attend among themselves, as on a map of their own. Where a map (or
    such a part of it) has fewer than k rows or columns, the window is all of them; NAT's code pads with zeros that
    are attended to.

    Args:
        dim: channels C; a multiple of `num_heads`.
        kernel_size: side k of the window, in keys; odd.
        dilation: distance between the window's keys, in pixels.
        num_heads: number of heads; C / 64 by default.
        parts: what the layers are made of.

    Raises:
        ValueError: `kernel_size` is even, `dilation` below 1, or `dim` not a multiple of `num_heads`.
    """

    sees, cost, paper = "the k x k nearest pixels, also dilated", "N k^2 C", "2204.07143, 2209.15001"
    role = Role("", ("proj",), optional=True)

    def __init__(
        self, dim: int, kernel_size: int = 7, dilation: int = 1, num_heads: int | None = None, *, parts: Parts = VIT
    ) -> None:
        super().__init__()
        self.num_heads = heads_of(dim, num_heads)
        check_odd(kernel_size=kernel_size)
        check_positive(dilation=dilation)
        self.dim = dim
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.qkv = parts.linear(dim, 3 * dim)
        self.bias = nn.Parameter(torch.empty(self.num_heads, 2 * kernel_size - 1, 2 * kernel_size - 1))
        self.proj = parts.linear(dim, dim)
        nn.init.trunc_normal_(self.bias, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, H, W)` -> `(B, C, H, W)`."""
        rows, columns = (inward(n, self.kernel_size, self.dilation, x.device) for n in x.shape[2:])
        qkv = self.qkv(x.movedim(1, -1)).unflatten(-1, (3, self.num_heads, -1))  # (B, H, W, 3, heads, d)
        q, k, v = qkv.permute(3, 0, 4, 1, 2, 5)
        # The table is indexed by key minus query, plus k - 1; a key that is not seen may lie outside, and is masked.
        last = 2 * self.kernel_size - 2
        down, across = ((axis.offset + self.kernel_size - 1).clamp(0, last) for axis in (rows, columns))
        bias = self.bias.index_select(2, across.flatten()).index_select(1, down.flatten())
        bias = bias.unflatten(2, across.shape).unflatten(1, down.shape).transpose(2, 3)  # (heads, H, W, k, k)
        mixed = local_attention(q, k, v, rows, columns, bias[None])
        return self.proj(mixed.permute(0, 2, 3, 1, 4).flatten(3)).movedim(-1, 1)

    def macs(self, height: int, width: int) -> Macs:
        """`4 N C^2 + 2 N k^2 C`, the keys that a small map lacks included."""
        n = height * width
        return Macs(linear=4 * n * self.dim**2, attention=2 * n * self.kernel_size**2 * self.dim)
