"""Spatial attention: each frame attends within itself. The second half of divided space-time attention."""

import torch
from torch import Tensor

from vidattn.attention.base import KeptRows, Role, RowMaps, VideoAttention
from vidattn.attention.heads import SelfAttention, self_attention_macs
from vidattn.attention.parts import VIT, Parts
from vidattn.grid import Grid
from vidattn.macs import Macs


class SpatialAttention(VideoAttention):
    """Each frame's tokens attend to one another and to the prefix, which joins every frame as a copy.

    "S" of TimeSformer's T+S, https://arxiv.org/abs/2102.05095, section 3. The prefix's update is the mean over the
    frames of what its copies became, as in the official code.

    Args:
        dim: token width D; a multiple of `num_heads`.
        num_heads: number of heads; D / 64 by default.
        parts: what the layers are made of.
    """

    scores_tokens = True
    needs_map = False
    mixes_by_weights = True
    role = Role("attn.", ("attn.proj",))

    def __init__(self, dim: int, num_heads: int | None = None, *, parts: Parts = VIT) -> None:
        super().__init__()
        self.dim = dim
        self.attn = SelfAttention(dim, num_heads, parts=parts)

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """`(B, S, D)` -> `(B, S, D)`."""
        prefix, video = grid.split(x)
        copies = prefix.unsqueeze(1).expand(-1, grid.frames, -1, -1)
        frames = torch.cat((copies, video.flatten(2, 3)), dim=2)  # (B, T, P + N, D)
        update = self.attn(frames.flatten(0, 1), grid.frame()).view(frames.shape)
        return grid.join(update[:, :, : grid.prefix].mean(1), update[:, :, grid.prefix :].reshape(video.shape))

    def kept_rows(self, grid: Grid, runs: int) -> KeptRows:
        """The prefix is copied into every frame."""
        copied = grid.num_video_tokens + grid.frames * grid.prefix
        return KeptRows(copied, copied)

    def macs(self, grid: Grid) -> Macs:
        """`4 T (N + P) D^2 + 2 T (N + P)^2 D`."""
        return self_attention_macs(grid.frames, grid.locations + grid.prefix, self.dim)

    def row_maps(self, weights: Tensor, grid: Grid) -> RowMaps:
        """A row for each frame."""
        return RowMaps(weights.mean(1).unflatten(0, (-1, grid.frames)), Grid(grid.frames, 1, 1, 0), grid.frame())
