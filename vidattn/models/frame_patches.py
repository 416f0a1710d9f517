"""Patches of each frame through one layer and a norm, with positions of their own: how PVT enters each stage."""

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from vidattn.attention.parts import Parts
from vidattn.grid import Grid
from vidattn.macs import Macs
from vidattn.mistakes import Mistake
from vidattn.models.positions import MapTable

EPS = 1e-5
"""Of the norm behind the patches, whatever the blocks have, as in PVT's code."""


class FramePatches(nn.Module):
    """Patches of `stride x stride` tokens (or pixels) of a frame through one linear layer and a norm.

    PVT, https://arxiv.org/abs/2102.12122, section 3.2. Zeros fill up the last patches of a map that the stride does not
    divide.

    Args:
        dim: width before.
        out_dim: width after.
        stride: side of a patch.
        parts: what the norm is made of.
    """

    def __init__(self, dim: int, out_dim: int, stride: int, parts: Parts) -> None:
        super().__init__()
        self.conv = nn.Conv2d(dim, out_dim, stride, stride)
        self.norm = parts.norm(out_dim, EPS)

    def forward(self, video: Tensor) -> Tensor:
        """`(B, T, H, W, C)` -> `(B, T, H / stride, W / stride, D)`, rounded up."""
        down, across = (-length % self.conv.stride[0] for length in video.shape[2:4])
        maps = rearrange(F.pad(video, (0, 0, 0, across, 0, down)), "b t h w c -> (b t) c h w")
        return self.norm(rearrange(self.conv(maps), "(b t) d h w -> b t h w d", t=video.shape[1]))

    def macs(self, tokens: int) -> Macs:
        """`s^2 C D` for each token that leaves."""
        return Macs(convolution=tokens * self.conv.weight.numel())


class PatchStem(nn.Module):
    """Patches of each frame's pixels, normed.

    Args:
        dim: token width D.
        patch_size: side of a patch in pixels.
        tubelet_size: frames of a token: 1.
        parts: what the norm is made of.
        norm_eps: of the blocks; this norm adds its own 1e-5.

    Raises:
        ValueError: a tubelet is not of one frame.
    """

    def __init__(self, dim: int, patch_size: int, tubelet_size: int, parts: Parts, norm_eps: float) -> None:
        super().__init__()
        if tubelet_size != 1:
            raise Mistake(
                f"tubelet_size={tubelet_size}: the stem `patch_conv` takes each frame alone; give tubelet_size=1, or "
                "the stem `filled`"
            )
        self.patches = FramePatches(3, dim, patch_size, parts)

    def forward(self, video: Tensor) -> Tensor:
        """`(B, 3, T, H, W)` -> `(B, T, H/p, W/p, D)`, rounded up."""
        return self.patches(video.movedim(1, -1))

    def macs(self, tokens: int) -> Macs:
        """`3 p^2 D` per token."""
        return self.patches.macs(tokens)

    def macs_of_call(self, inputs: tuple, output: Tensor) -> Macs:
        """Cost of a call of `forward` with these inputs."""
        return self.macs(output.numel() // output.shape[-1])


class PatchEntry(nn.Module):
    """Patches of 2 x 2 tokens, prefix tokens that join here, and a table of positions: PVT's way into a stage.

    Args:
        dim: token width before.
        out_dim: token width after.
        grid: tokens that come of the clips that the network is made for; none of them a prefix.
        prefix: tokens that join: PVT's class token, before its last stage.
        parts: what the norm is made of.
    """

    def __init__(self, dim: int, out_dim: int, grid: Grid, prefix: int, parts: Parts) -> None:
        super().__init__()
        self.joining = prefix
        self.patches = FramePatches(dim, out_dim, 2, parts)
        if prefix:
            self.prefix = nn.Parameter(nn.init.trunc_normal_(torch.empty(1, prefix, out_dim), std=0.02))
        self.position = MapTable(out_dim, self.grid_after(grid))

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """`(B, S, D)` on `grid` -> `(B, S', D')` on `grid_after(grid)`."""
        tokens, after = self.patches(grid.split(x)[1]), self.grid_after(grid)
        prefix = self.prefix.expand(x.shape[0], -1, -1) if self.joining else tokens[:, :0, 0, 0]
        return after.join(prefix, tokens) + self.position(after)

    def grid_after(self, grid: Grid) -> Grid:
        """Half the rows and columns, rounded up, and the prefix tokens that join."""
        return Grid(grid.frames, -(-grid.height // 2), -(-grid.width // 2), self.joining)

    def macs(self, grid: Grid) -> Macs:
        """`4 D D'` for each token that leaves."""
        return self.patches.macs(self.grid_after(grid).num_video_tokens)

    def macs_of_call(self, inputs: tuple, output: Tensor) -> Macs:
        """Cost of a call of `forward` with these inputs."""
        tokens, grid = inputs
        return tokens.shape[0] * self.macs(grid)
