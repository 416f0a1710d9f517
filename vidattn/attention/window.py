"""Video Swin's windows: boxes of t x h x w tokens side by side, and the same boxes shifted by half of one."""

import itertools
from abc import abstractmethod
from collections.abc import Callable
from math import prod

import torch
from einops import rearrange
from torch import Tensor, nn

from vidattn.attention.base import Role, VideoAttention
from vidattn.attention.heads import SelfAttention, attend
from vidattn.attention.parts import VIT, Parts
from vidattn.checks import check_positive
from vidattn.grid import Grid
from vidattn.macs import Macs

Triple = tuple[int, int, int]
Runs = list[tuple[int, int]]  # along one axis, in order: so many windows side by side, of this size


class Windows(VideoAttention):
    """Attention in windows of t x h x w tokens with a relative position bias; a subclass says where they begin."""

    scores_tokens = True

    def __init__(
        self, dim: int, num_heads: int | None = None, t: int = 8, h: int = 7, w: int = 7, *, parts: Parts = VIT
    ) -> None:
        super().__init__()
        check_positive(t=t, h=h, w=w)
        self.dim = dim
        self.window = (t, h, w)
        self.attn = SelfAttention(dim, num_heads, parts=parts)
        # Indexed by query minus key, plus the side - 1: Video Swin's table, transposed and unflattened.
        self.bias = nn.Parameter(torch.empty(self.attn.num_heads, 2 * t - 1, 2 * h - 1, 2 * w - 1))
        nn.init.trunc_normal_(self.bias, std=0.02)

    @property
    @abstractmethod
    def shift(self) -> Triple:
        """Where the first whole window begins on each axis that is longer than a window."""

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """`(B, S, D)` -> `(B, S, D)`."""
        qkv = self.attn.project(x, grid)  # (B, S, 3, heads, d)
        sizes = (min(side, length) for side, length in zip(self.window, grid.sides(), strict=True))
        mixed = mix_windows(grid.split(qkv.flatten(2))[1], self.runs(grid), window_bias(self.bias, *sizes))
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        prefix = attend(q[:, :, : grid.prefix], k, v).transpose(1, 2).flatten(2)
        return self.attn.proj(grid.join(prefix, mixed))

    def runs(self, grid: Grid) -> list[Runs]:
        """The windows along each axis."""
        return [cut(*numbers) for numbers in zip(grid.sides(), self.window, self.shift, strict=True)]

    def macs(self, grid: Grid) -> Macs:
        """`4 S D^2 + 2 n^2 D` per window of n tokens `+ 2 P S D`."""
        windows = 0
        for box in itertools.product(*self.runs(grid)):
            windows += prod(count * size**2 for count, size in box)
        attention = 2 * (windows + grid.prefix * grid.num_tokens) * self.dim
        return Macs(linear=4 * grid.num_tokens * self.dim**2, attention=attention)


class WindowAttention3D(Windows):
    """Every window of t x h x w tokens attends within itself, with a relative position bias.

    Video Swin Transformer, https://arxiv.org/abs/2106.13230, section 3.2 (3D W-MSA). Nothing is padded: where the
    window does not divide an axis, the last window is a smaller one. (Video Swin pads with zeros, which the tokens of
    that window then attend to.) On an axis shorter than the window, the window is the axis. Prefix tokens attend to
    all tokens; no video token attends to them.

    The bias is a table of `(2t - 1)(2h - 1)(2w - 1)` offsets per head. At (8, 7, 7) and 12 heads these are 30,420
    parameters, so that ViT-B with windows and mean pooling has 86,475,904; counts without the bias say 86,110,864.

    Args:
        dim: token width D; a multiple of `num_heads`.
        num_heads: number of heads; D / 64 by default.
        t: frames of a window.
        h: rows of a window.
        w: columns of a window.

    Raises:
        ValueError: a side of the window is below 1, or `dim` is not a multiple of `num_heads`.
    """

    mixes_by_weights = True
    role = Role("attn.", ("attn.proj",))

    @property
    def shift(self) -> Triple:
        """Windows begin at the first token."""
        return (0, 0, 0)


class ShiftedWindowAttention3D(Windows):
    """The windows of `WindowAttention3D`, shifted by half a window on each axis: they join what those keep apart.

    Video Swin Transformer, https://arxiv.org/abs/2106.13230, section 3.2 (3D SW-MSA); made for every second block. An
    axis that one window covers is not shifted. Video Swin rolls the clip, so that the cut windows at opposite borders
    share a whole one, and masks. Here they are the small windows that they are: the same numbers for less. At
    8 x 14 x 14 tokens, D = 768 and windows of (8, 7, 7), attention costs 538,312,704 MACs instead of 944,111,616;
    ViT-B with mean pooling and six such blocks of twelve 142,997,237,760 instead of 145,432,031,232.

    Args:
        dim: token width D; a multiple of `num_heads`.
        num_heads: number of heads; D / 64 by default.
        t: frames of a window; the shift is `t // 2`.
        h: rows of a window; the shift is `h // 2`.
        w: columns of a window; the shift is `w // 2`.

    Raises:
        ValueError: a side of the window is below 1, or `dim` is not a multiple of `num_heads`.
    """

    mixes_by_weights = True
    role = Role("attn.", ("attn.proj",))
    weights_of = WindowAttention3D

    @property
    def shift(self) -> Triple:
        """Whole windows begin at half a window."""
        t, h, w = self.window
        return (t // 2, h // 2, w // 2)


def cut(length: int, window: int, shift: int) -> Runs:
    """The windows along an axis: (how many side by side, their size) from the first token to the last.

    >>> cut(14, window=7, shift=0), cut(14, window=7, shift=3), cut(5, window=7, shift=3)
    ([(2, 7)], [(1, 3), (1, 7), (1, 4)], [(1, 5)])
    """
    if length <= window:
        return [(1, length)]
    runs = [(1, shift), ((length - shift) // window, window), (1, (length - shift) % window)]
    return [(count, size) for count, size in runs if count * size]


def window_bias(table: Tensor, t: int, h: int, w: int) -> Tensor:
    """`(heads, t, h, w, t, h, w)`: for each query, then each key of a window, the table's entry for their offset.

    Runs of the table read backwards are the entries of one query: views and a copy, no gathering.
    """
    for axis, size in enumerate((t, h, w), start=1):
        middle = table.shape[axis] // 2  # offset 0
        table = table.narrow(axis, middle - size + 1, 2 * size - 1).unfold(axis, size, 1)
    return table.flip(-3, -2, -1)


def mix_windows(qkv: Tensor, runs: list[Runs], bias: Tensor) -> Tensor:
    """Queries, keys and values `(B, T, H, W, 3D)` -> windows mixed, `(B, T, H, W, D)`.

    `bias` belongs to the window of `window_bias`; smaller windows have the same offsets, so they take its corner.
    """

    def mixed(part: Tensor, sizes: Triple) -> Tensor:
        corner = bias
        for axis, size in enumerate(sizes, start=1):
            corner = corner.narrow(axis, 0, size).narrow(axis + 3, 0, size)
        return mix_alike(part, sizes, len(bias), corner.flatten(4).flatten(1, 3)[None])

    return by_windows(qkv, runs, mixed)


def by_windows(x: Tensor, runs: list[Runs], mix: Callable[[Tensor, Triple], Tensor]) -> Tensor:
    """`(B, T, H, W, C)` through `mix`, which is given parts of windows of one size, and that size.

    Cuts an axis into runs of equal windows, then the axes after it, until all windows at hand are equal.
    """

    def below(part: Tensor, sizes: tuple[int, ...]) -> Tensor:
        if len(sizes) == 3:
            return mix(part, sizes)
        axis = len(sizes)
        parts = part.split([count * size for count, size in runs[axis]], dim=axis + 1)
        boxes = [below(one, (*sizes, size)) for one, (_, size) in zip(parts, runs[axis], strict=True)]
        return torch.cat(boxes, dim=axis + 1) if len(boxes) > 1 else boxes[0]

    return below(x, ())


def mix_alike(qkv: Tensor, window: Triple, num_heads: int, bias: Tensor | None = None) -> Tensor:
    """Queries, keys and values `(B, T, H, W, 3D)` of a clip that windows of one size fill -> mixed, `(B, T, H, W, D)`.

    Args:
        qkv: in this order, each head by head.
        window: t, h and w.
        num_heads: heads.
        bias: `(1, heads, n, n)`, added to the scores of each window's n tokens.
    """
    sizes = dict(zip("thw", window, strict=True))
    counts = {name: length // size for name, length, size in zip("ijk", qkv.shape[1:4], window, strict=True)}
    pattern = "b (i t) (j h) (k w) (three heads d) -> three (b i j k) heads (t h w) d"
    q, k, v = rearrange(qkv, pattern, three=3, heads=num_heads, **sizes)
    mixed = attend(q, k, v, bias)
    return rearrange(mixed, "(b i j k) heads (t h w) d -> b (i t) (j h) (k w) (heads d)", **counts, **sizes)
