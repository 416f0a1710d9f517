"""MViTv2's attention: queries, keys and values pooled by convolutions, with relative positions and pooled residuals."""

from math import prod

import torch.nn.functional as F
from torch import Tensor, nn

from vidattn.attention.base import Role, VideoAttention
from vidattn.attention.heads import attend
from vidattn.attention.parts import VIT, Parts
from vidattn.attention.pooled import pooled
from vidattn.attention.relative_positions import RelativePositions
from vidattn.attention.widening import heads_between
from vidattn.attention.window import Triple
from vidattn.checks import check_positive
from vidattn.grid import Grid
from vidattn.macs import Macs

NATIVE = Grid(8, 14, 14)
"""Tokens that the tables are made for where nobody says otherwise: 16 frames of 224 pixels in the third stage."""


class MultiscaleAttention(VideoAttention):
    """Every token attends to the pooled clip: keys and values at every t-th frame, h-th row and w-th column.

    MViTv2, https://arxiv.org/abs/2112.01526, section 4.1. Depthwise `3 x 3 x 3` convolutions, shared by the heads, pool
    queries, keys and values, also where the stride is 1; a norm over the head's width follows each. Relative positions
    are added to the scores (`vidattn.attention.relative_positions`), and the pooled queries to what the heads make.
    An axis of L tokens keeps `ceil(L / stride)`. Prefix tokens go around the convolutions, have no positions, and no
    queries are added to them: MViT's class token. `pooled` (`PooledAttention`) is the first MViT's.

    At the border of two stages it pools the queries too: `out_dim` and `query_stride` (`vidattn.models.downsampling`).

    Args:
        dim: token width D; a multiple of `num_heads`.
        num_heads: number of heads; D / 64 by default.
        t: stride of keys and values over frames.
        h: over rows.
        w: over columns.
        parts: what the layers are made of.
        grid: the tokens that the tables of positions are made for; resized for others.
        out_dim: token width that leaves; D by default.
        query_stride: of queries, over frames, rows and columns.

    Raises:
        ValueError: a stride is below 1, or the width is not a multiple of `num_heads`.
    """

    mixes_by_weights = True
    role = Role("attn.", ("attn.proj",))

    def __init__(
        self,
        dim: int,
        num_heads: int | None = None,
        t: int = 1,
        h: int = 1,
        w: int = 1,
        *,
        parts: Parts = VIT,
        grid: Grid = NATIVE,
        out_dim: int | None = None,
        query_stride: Triple = (1, 1, 1),
    ) -> None:
        super().__init__()
        check_positive(t=t, h=h, w=w)
        self.dim, self.out_dim = dim, out_dim or dim
        self.stride, self.query_stride = (t, h, w), query_stride
        self.attn = heads_between(dim, out_dim, num_heads, parts)
        head_dim = self.out_dim // self.attn.num_heads
        self.pool_q, self.pool_k, self.pool_v = (
            nn.Conv3d(head_dim, head_dim, 3, stride, padding=1, groups=head_dim, bias=False)
            for stride in (query_stride, self.stride, self.stride)
        )
        self.norm_q, self.norm_k, self.norm_v = (parts.norm(head_dim, 1e-6) for _ in range(3))
        # As in MViTv2's code: of halves, the lower counts.
        side = max(grid.height, grid.width)
        native = (grid.frames, side, side)
        tables = [
            tuple(max(length // one, 1) for length, one in zip(native, stride, strict=True))
            for stride in (query_stride, self.stride)
        ]
        self.relative = RelativePositions(head_dim, *tables)  # type: ignore[arg-type]

    def grid_after(self, grid: Grid) -> Grid:
        """How the tokens lie that leave."""
        return grid.with_sides(*strided(grid, self.query_stride))

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """`(B, S, D)` -> `(B, S', D')` on `grid_after(grid)`."""
        q, k, v = self.attn.project(x, grid).permute(2, 0, 3, 1, 4)
        q = self.norm_q(pooled(q, grid, self.pool_q))
        k = self.norm_k(pooled(k, grid, self.pool_k))
        v = self.norm_v(pooled(v, grid, self.pool_v))
        first, sides = grid.prefix, strided(grid, self.query_stride)
        queries = q[:, :, first:]
        bias = self.relative(queries.unflatten(2, sides), strided(grid, self.stride))
        mixed = attend(q, k, v, F.pad(bias, (first, 0, first, 0)))
        mixed = mixed + F.pad(queries, (0, 0, first, 0))
        return self.attn.proj(mixed.transpose(1, 2).flatten(2))

    def macs(self, grid: Grid) -> Macs:
        """`(3 S D + S' D') D' + 2 S' (P + L) D' + M' (t + h + w) D' + 27 (M' + 2 L) D'`, with M' queries and L keys
        without their prefix, and t, h and w frames, rows and columns of keys."""
        keys = strided(grid, self.stride)
        after, width = self.grid_after(grid), self.out_dim
        queries, tokens = after.num_video_tokens, after.num_tokens
        return Macs(
            linear=(3 * grid.num_tokens * self.dim + tokens * width) * width,
            attention=(2 * tokens * (grid.prefix + prod(keys)) + queries * sum(keys)) * width,
            convolution=27 * (queries + 2 * prod(keys)) * width,
        )


def strided(grid: Grid, stride: Triple) -> Triple:
    """Frames, rows and columns that these strides keep."""
    t, h, w = (-(-length // one) for length, one in zip(grid.sides(), stride, strict=True))
    return t, h, w
