"""Temporal attention: each location attends along time. The first half of divided space-time attention."""

import torch
from torch import Tensor

from vidattn.attention.base import KeptRows, Role, RowMaps, VideoAttention, entering
from vidattn.attention.factorised import PlainTemporalAttention, maps_along_time
from vidattn.attention.heads import SelfAttention, self_attention_macs
from vidattn.attention.parts import VIT, Parts, zero_linear
from vidattn.grid import Grid
from vidattn.macs import Macs


class TemporalAttention(VideoAttention):
    """Each location attends to itself in all frames; prefix tokens get a zero update.

    "T" of TimeSformer's T+S, https://arxiv.org/abs/2102.05095, section 3. As in the official code, and unlike the
    paper's equation 11, the class token takes no part, and a linear layer `fc` follows the projection. It starts
    at zero in every block, so that a model inflated from an image ViT computes at first what the ViT did.

    Args:
        dim: token width D; a multiple of `num_heads`.
        num_heads: number of heads; D / 64 by default.
        parts: what the layers are made of.
    """

    scores_tokens = True
    moves_prefix = False
    needs_map = False
    mixes_by_weights = True
    role = Role("attn.", ("fc",), optional=True)
    without_output_layer = PlainTemporalAttention

    def __init__(self, dim: int, num_heads: int | None = None, *, parts: Parts = VIT) -> None:
        super().__init__()
        self.dim = dim
        self.attn = SelfAttention(dim, num_heads, parts=parts)
        self.fc = zero_linear(dim, dim)

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """`(B, S, D)` -> `(B, S, D)`."""
        prefix, video = grid.split(x)
        update = self.fc(self.attn.across(video.flatten(2, 3)))
        return grid.join(torch.zeros_like(prefix), update.view(video.shape))

    def macs(self, grid: Grid) -> Macs:
        """`5 M D^2 + 2 N T^2 D`."""
        fc = Macs(linear=grid.num_video_tokens * self.dim**2)
        return self_attention_macs(grid.locations, grid.frames, self.dim) + fc

    def kept_rows(self, grid: Grid, runs: int) -> KeptRows:
        """Without the prefix; `fc` keeps its input too."""
        return KeptRows(entering(grid, runs), grid.num_video_tokens, grid.num_video_tokens)

    def row_maps(self, weights: Tensor, grid: Grid) -> RowMaps:
        """A row for each location."""
        return maps_along_time(weights, grid)
