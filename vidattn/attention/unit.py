"""Hiera's mask-unit attention: windows without positions, whose queries may be pooled."""

import sys
from math import prod
from typing import Any

from einops import rearrange
from torch import Tensor

from vidattn.attention.base import Role, VideoAttention
from vidattn.attention.heads import attend
from vidattn.attention.parts import VIT, Parts
from vidattn.attention.widening import heads_between
from vidattn.attention.window import Runs, Triple, by_windows, cut
from vidattn.checks import check_positive
from vidattn.grid import Grid
from vidattn.macs import Macs

WHOLE = sys.maxsize
"""Longer than any axis: the unit is the clip."""


class UnitAttention(VideoAttention):
    """Every unit of t x h x w tokens attends within itself; nothing says where in it a token lies.

    Mask-unit attention of Hiera, https://arxiv.org/abs/2306.00989, section 3.2: units of one frame, smaller in each
    stage, so that they hold the same pixels. Where the unit does not divide an axis, the last one is smaller. Prefix
    tokens, which Hiera has none of, attend to all tokens; no video token attends to them.

    At the border of two stages its queries are the maxima of 2 x 2 tokens: `out_dim` and `query_stride`
    (`vidattn.models.downsampling`).

    Args:
        dim: token width D; a multiple of `num_heads`.
        num_heads: number of heads; D / 64 by default.
        t: frames of a unit.
        h: rows of a unit.
        w: columns of a unit.
        parts: what the layers are made of.
        out_dim: token width that leaves; D by default.
        query_stride: queries are maxima over so many frames, rows and columns, which must divide every unit.

    Raises:
        ValueError: a side of the unit is below 1, or the width is not a multiple of `num_heads`.
    """

    mixes_by_weights = True
    role = Role("attn.", ("attn.proj",))

    def __init__(
        self,
        dim: int,
        num_heads: int | None = None,
        t: int = 1,
        h: int = 8,
        w: int = 8,
        *,
        parts: Parts = VIT,
        out_dim: int | None = None,
        query_stride: Triple = (1, 1, 1),
    ) -> None:
        super().__init__()
        check_positive(t=t, h=h, w=w)
        self.dim, self.out_dim = dim, out_dim or dim
        self.unit, self.query_stride = (t, h, w), query_stride
        self.attn = heads_between(dim, out_dim, num_heads, parts)

    def grid_after(self, grid: Grid) -> Grid:
        """How the tokens lie that leave."""
        return grid.with_sides(*(length // one for length, one in zip(grid.sides(), self.query_stride, strict=True)))

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """`(B, S, D)` -> `(B, S', D')` on `grid_after(grid)`."""
        qkv = self.attn.project(x, grid)  # (B, S, 3, heads, d)
        mixed = by_windows(grid.split(qkv.flatten(2))[1], self._runs(grid), self._mix)
        if not grid.prefix:
            return self.attn.proj(mixed.flatten(1, 3))
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        prefix = attend(q[:, :, : grid.prefix], k, v).transpose(1, 2).flatten(2)
        return self.attn.proj(self.grid_after(grid).join(prefix, mixed))

    def _runs(self, grid: Grid) -> list[Runs]:
        return [cut(length, side, 0) for length, side in zip(grid.sides(), self.unit, strict=True)]

    def _mix(self, qkv: Tensor, unit: Triple) -> Tensor:
        """Units of one size mixed, `(B, T, H, W, 3D)` -> `(B, T', H', W', D)`."""
        q, k, v = qkv.unflatten(-1, (3, self.attn.num_heads, -1)).unbind(4)
        pattern = "b (i t) (j h) (k w) heads d -> (b i j k) heads (t h w) d"
        sides: dict[str, Any] = dict(zip("thw", unit, strict=True))
        k, v = (rearrange(one, pattern, **sides) for one in (k, v))
        if any(one > 1 for one in self.query_stride):
            strides = dict(zip("xyz", self.query_stride, strict=True))
            q = rearrange(q, "b (t x) (h y) (w z) heads d -> b t h w heads d (x y z)", **strides).amax(-1)
        fewer = [side // one for side, one in zip(unit, self.query_stride, strict=True)]
        sides = dict(zip("thw", fewer, strict=True))
        counts = {name: length // side for name, length, side in zip("ijk", q.shape[1:4], fewer, strict=True)}
        mixed = attend(rearrange(q, pattern, **sides), k, v)
        return rearrange(mixed, "(b i j k) heads (t h w) d -> b (i t) (j h) (k w) (heads d)", **counts, **sides)

    def macs(self, grid: Grid) -> Macs:
        """`(3 S D + S' D') D' + 2 M' n D' + 2 P S D'`, with M' queries, each with the n keys of its unit."""
        pairs = 1
        for runs in self._runs(grid):
            pairs *= sum(count * size**2 for count, size in runs)
        after, width = self.grid_after(grid).num_tokens, self.out_dim
        return Macs(
            linear=(3 * grid.num_tokens * self.dim + after * width) * width,
            attention=2 * (pairs // prod(self.query_stride) + grid.prefix * grid.num_tokens) * width,
        )
