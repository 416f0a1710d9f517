"""Pooling attention: every token attends to a map of keys and values that strided convolutions have shrunk."""

import torch
from torch import Tensor, nn

from vidattn.attention.base import Role, VideoAttention
from vidattn.attention.heads import SelfAttention, attend
from vidattn.attention.parts import VIT, Parts
from vidattn.checks import check_positive
from vidattn.grid import Grid
from vidattn.macs import Macs


class PooledAttention(VideoAttention):
    """Every token attends to the pooled clip: keys and values at every t-th frame, h-th row and w-th column.

    Multiscale Vision Transformers, https://arxiv.org/abs/2104.11227, section 3.1, as in a stage that keeps its
    resolution: queries are not pooled, and each update has its token's place. A depthwise `3 x 3 x 3` convolution with
    stride (t, h, w), shared by the heads, pools; a LayerNorm over the head's width follows. Tokens outside the clip are
    zeros, and an axis of L tokens keeps `ceil(L / stride)`. Prefix tokens are not pooled but normed like the others:
    all attend to them and they attend to the pooled clip, as MViT's class token.

    Args:
        dim: token width D; a multiple of `num_heads`.
        num_heads: number of heads; D / 64 by default.
        t: stride over frames.
        h: stride over rows.
        w: stride over columns. Strides above 3, the kernel's side, leave out tokens.
        parts: what the layers are made of.

    Raises:
        ValueError: a stride is below 1, or `dim` is not a multiple of `num_heads`.
    """

    mixes_by_weights = True
    role = Role("attn.", ("attn.proj",))

    def __init__(
        self, dim: int, num_heads: int | None = None, t: int = 1, h: int = 2, w: int = 2, *, parts: Parts = VIT
    ) -> None:
        super().__init__()
        check_positive(t=t, h=h, w=w)
        self.dim = dim
        self.stride = (t, h, w)
        self.attn = SelfAttention(dim, num_heads, parts=parts)
        head_dim = dim // self.attn.num_heads
        self.pool_k, self.pool_v = (
            nn.Conv3d(head_dim, head_dim, 3, self.stride, padding=1, groups=head_dim, bias=False) for _ in range(2)
        )
        self.norm_k, self.norm_v = (parts.norm(head_dim, 1e-6) for _ in range(2))

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """`(B, S, D)` -> `(B, S, D)`."""
        q, k, v = self.attn.project(x, grid).permute(2, 0, 3, 1, 4)
        k = self.norm_k(pooled(k, grid, self.pool_k))
        v = self.norm_v(pooled(v, grid, self.pool_v))
        return self.attn.proj(attend(q, k, v).transpose(1, 2).flatten(2))

    def macs(self, grid: Grid) -> Macs:
        """`4 S D^2 + 54 L D + 2 S (P + L) D`, with L pooled keys."""
        keys = 1
        for length, stride in zip(grid.sides(), self.stride, strict=True):
            keys *= -(-length // stride)
        return Macs(
            linear=4 * grid.num_tokens * self.dim**2,
            attention=2 * grid.num_tokens * (grid.prefix + keys) * self.dim,
            convolution=2 * 27 * keys * self.dim,
        )


def pooled(x: Tensor, grid: Grid, pool: nn.Conv3d) -> Tensor:
    """Tokens by head, `(B, heads, S, d)` -> `(B, heads, P + L, d)`: the prefix, then the pooled clip."""
    prefix, video = x[:, :, : grid.prefix], x[:, :, grid.prefix :]
    maps = video.flatten(0, 1).mT.unflatten(-1, grid.sides())  # (B * heads, d, T, H, W)
    video = pool(maps).flatten(2).mT.unflatten(0, x.shape[:2])
    return torch.cat((prefix, video), dim=2) if grid.prefix else video
