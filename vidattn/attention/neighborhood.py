"""Neighborhood attention in space and time: every token attends to the t x h x w tokens nearest to it."""

import torch
from torch import Tensor

from vidattn.attention.base import Role, VideoAttention
from vidattn.attention.heads import SelfAttention, attend
from vidattn.attention.parts import VIT, Parts
from vidattn.attention.sliding_windows import Window, neighborhood_attention
from vidattn.checks import check_odd
from vidattn.grid import Grid
from vidattn.macs import Macs


class NeighborhoodAttention3D(VideoAttention):
    """Every video token attends to its t x h x w nearest tokens, itself included: always as many keys.

    Neighborhood Attention Transformer, https://arxiv.org/abs/2204.07143, section 3.1, with a time axis and without
    the relative position bias. At a border the window moves inward; an axis shorter than the window is seen whole.
    Prefix tokens attend to all tokens; no video token attends to them.

    Args:
        dim: token width D; a multiple of `num_heads`.
        num_heads: number of heads; D / 64 by default.
        t: frames of a window; odd, as all three.
        h: rows of a window.
        w: columns of a window.
        parts: what the layers are made of.

    Raises:
        ValueError: a side of the window is even or below 1, or `dim` is not a multiple of `num_heads`.
    """

    scores_tokens = True
    mixes_by_weights = True
    role = Role("attn.", ("attn.proj",))

    def __init__(
        self, dim: int, num_heads: int | None = None, t: int = 3, h: int = 7, w: int = 7, *, parts: Parts = VIT
    ) -> None:
        super().__init__()
        check_odd(t=t, h=h, w=w)
        self.dim = dim
        self.window = (t, h, w)
        self.attn = SelfAttention(dim, num_heads, parts=parts)

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """`(B, S, D)` -> `(B, S, D)`."""
        qkv = self.attn.project(x, grid)  # (B, S, 3, heads, d)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        prefix = attend(q[:, :, : grid.prefix], k, v).transpose(1, 2)
        q, k, v = qkv[:, grid.prefix :].unflatten(1, grid.sides()).unbind(4)
        video = neighborhood_attention(q, k, v, self.window_on(grid))
        return self.attn.proj(torch.cat((prefix, video.flatten(1, 3)), dim=1).flatten(2))

    def window_on(self, grid: Grid) -> Window:
        """The window, no side longer than the grid's."""
        t, h, w = self.window
        return min(t, grid.frames), min(h, grid.height), min(w, grid.width)

    def macs(self, grid: Grid) -> Macs:
        """`4 S D^2 + 2 M (thw) D + 2 P S D`."""
        t, h, w = self.window_on(grid)
        attention = 2 * (grid.num_video_tokens * t * h * w + grid.prefix * grid.num_tokens) * self.dim
        return Macs(linear=4 * grid.num_tokens * self.dim**2, attention=attention)
