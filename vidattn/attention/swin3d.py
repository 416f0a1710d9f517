"""Video Swin's windows as its code has them: the clip is filled up with zeros and rolled, and a mask keeps apart."""

import itertools
from collections.abc import Sequence
from math import prod
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from vidattn.attention.base import Role
from vidattn.attention.heads import attend
from vidattn.attention.window import Triple, WindowAttention3D, Windows, mix_alike, window_bias
from vidattn.grid import Grid
from vidattn.macs import Macs


class FilledWindows(Windows):
    """Windows of t x h x w tokens on a clip that zeros fill up to whole ones; a subclass says whether to shift them."""

    shifted: ClassVar[bool]
    mixes_by_weights = True
    role = Role("attn.", ("attn.proj",))

    @property
    def shift(self) -> Triple:
        """How far the clip is rolled along each axis that is longer than a window."""
        t, h, w = self.window
        return (t // 2, h // 2, w // 2) if self.shifted else (0, 0, 0)

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """`(B, S, D)` -> `(B, S, D)`."""
        sizes, shifts, filled = self._plan(grid)
        prefix, video = grid.split(x)
        t, h, w = (whole - own for whole, own in zip(filled.sides(), grid.sides(), strict=True))
        video = F.pad(video, (0, 0, 0, w, 0, h, 0, t))
        qkv = self.attn.project(filled.join(prefix, video), filled)  # (B, S', 3, heads, d)
        first, rest = filled.split(qkv.flatten(2))
        mixed = self._mixed(rolled(rest, [-shift for shift in shifts]), sizes, shifts)
        mixed = cropped(rolled(mixed, shifts), grid)
        if not grid.prefix:
            return self.attn.proj(mixed.flatten(1, 3))
        q, k, v = grid.join(first, cropped(rest, grid)).unflatten(2, qkv.shape[2:]).permute(2, 0, 3, 1, 4)
        update = attend(q[:, :, : grid.prefix], k, v).transpose(1, 2).flatten(2)
        return self.attn.proj(grid.join(update, mixed))

    def _plan(self, grid: Grid) -> tuple[Triple, Triple, Grid]:
        """Sides of a window, the shifts, and the grid that windows fill."""
        sides = grid.sides()
        t, h, w = (min(side, length) for side, length in zip(self.window, sides, strict=True))
        shifts = [
            shift if length > side else 0 for shift, side, length in zip(self.shift, self.window, sides, strict=True)
        ]
        filled = grid.with_sides(*(-(-length // side) * side for side, length in zip((t, h, w), sides, strict=True)))
        return (t, h, w), (shifts[0], shifts[1], shifts[2]), filled

    def _mixed(self, qkv: Tensor, sizes: Triple, shifts: Triple) -> Tensor:
        """The rolled clip `(B, T, H, W, 3D)` with its windows mixed, `(B, T, H, W, D)`.

        The last window along an axis that is rolled holds both borders of the clip, and they must not meet. Windows
        that are last along the same axes have the same mask, so they are mixed together.
        """
        bias = window_bias(self.bias, *sizes).flatten(4).flatten(1, 3)  # (heads, n, n)
        axes = []
        for length, side, shift in zip(qkv.shape[1:4], sizes, shifts, strict=True):
            last = length - side if shift else length
            axes.append([run for run in ((0, last, 0), (last, length, shift)) if run[0] < run[1]])
        boxes = iter(
            self._box(qkv[:, t0:t1, h0:h1, w0:w1], sizes, (t, h, w), bias)
            for (t0, t1, t), (h0, h1, h), (w0, w1, w) in itertools.product(*axes)
        )
        frames = []
        for _ in axes[0]:
            rows = [torch.cat([next(boxes) for _ in axes[2]], dim=3) for _ in axes[1]]
            frames.append(torch.cat(rows, dim=2))
        return torch.cat(frames, dim=1)

    def _box(self, qkv: Tensor, sizes: Triple, cuts: Triple, bias: Tensor) -> Tensor:
        """Windows that are alike, each cut `cuts` tokens before its end along each axis (0: not cut)."""
        if any(cuts):
            halves = [
                torch.arange(side, device=bias.device) >= side - cut for side, cut in zip(sizes, cuts, strict=True)
            ]
            sides = torch.stack(torch.meshgrid(*halves, indexing="ij"), dim=-1).flatten(0, 2)  # (n, 3)
            apart = (sides[:, None] != sides).any(-1)
            bias = bias.masked_fill(apart, -torch.inf)
        return mix_alike(qkv, sizes, len(bias), bias[None])

    def macs(self, grid: Grid) -> Macs:
        """`(3 S' + S) D^2 + 2 M' n D + 2 P S D`, with S' and M' the tokens and video tokens of the filled clip."""
        sizes, _, filled = self._plan(grid)
        attention = 2 * (filled.num_video_tokens * prod(sizes) + grid.prefix * grid.num_tokens) * self.dim
        return Macs(linear=(3 * filled.num_tokens + grid.num_tokens) * self.dim**2, attention=attention)


def rolled(x: Tensor, shifts: Sequence[int]) -> Tensor:
    """`(B, T, H, W, C)`, each axis rolled by so many places."""
    return x.roll(tuple(shifts), (1, 2, 3)) if any(shifts) else x


def cropped(x: Tensor, grid: Grid) -> Tensor:
    """`(B, T', H', W', C)` -> its first `(B, T, H, W, C)`."""
    return x[:, : grid.frames, : grid.height, : grid.width]


class SwinAttention3D(FilledWindows):
    """Every window of t x h x w tokens attends within itself, with a relative position bias, as in Video Swin's code.

    Video Swin Transformer, https://arxiv.org/abs/2106.13230, section 3.2 (3D W-MSA), with its weights' numbers:
    where the window does not divide an axis, zeros fill the clip up after the norm, and the tokens of a window attend
    to them (their keys and values are the projection's bias). `window` (`WindowAttention3D`) has a smaller window
    there. On an axis no longer than the window, the window is the axis. Its code, and torchvision's, then looks offsets
    up in wrong rows of the table where rows or columns are fewer than the window's; here they are the right ones.

    Prefix tokens, which Video Swin has none of, attend to all tokens; no video token attends to them.

    Args:
        dim: token width D; a multiple of `num_heads`.
        num_heads: number of heads; D / 64 by default.
        t: frames of a window.
        h: rows of a window.
        w: columns of a window.
        parts: what the layers are made of.

    Raises:
        ValueError: a side of the window is below 1, or `dim` is not a multiple of `num_heads`.
    """

    shifted = False
    weights_of = WindowAttention3D


class ShiftedSwinAttention3D(FilledWindows):
    """The windows of `SwinAttention3D`, shifted by half a window on each axis, by rolling the clip.

    Video Swin Transformer, https://arxiv.org/abs/2106.13230, section 3.2 (3D SW-MSA); made for every second block. What
    the roll brings from one border to the other shares windows with what lies there, and is masked. `window` makes
    smaller windows of the two parts instead: where the window divides the clip the numbers are the same, for less.

    Args:
        dim: token width D; a multiple of `num_heads`.
        num_heads: number of heads; D / 64 by default.
        t: frames of a window; the shift is `t // 2`.
        h: rows of a window; the shift is `h // 2`.
        w: columns of a window; the shift is `w // 2`.
        parts: what the layers are made of.

    Raises:
        ValueError: a side of the window is below 1, or `dim` is not a multiple of `num_heads`.
    """

    shifted = True
    weights_of = WindowAttention3D
