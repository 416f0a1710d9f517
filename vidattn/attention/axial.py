"""Axial attention's spatial steps: rows attend along the width, columns along the height."""

import torch
from torch import Tensor

from vidattn.attention.base import KeptRows, Role, RowMaps, VideoAttention, entering
from vidattn.attention.heads import SelfAttention, self_attention_macs
from vidattn.attention.parts import VIT, Parts, zero_linear
from vidattn.grid import Grid
from vidattn.macs import Macs


class WidthAttention(VideoAttention):
    """Each row of each frame attends within itself; prefix tokens get a zero update.

    "W" of TimeSformer's axial T+W+H, https://arxiv.org/abs/2102.05095, section 3, after
    https://arxiv.org/abs/1912.12180. TimeSformer's code for it was never released. As in `TemporalAttention` the class
    token takes no part, and a linear layer `fc` that starts at zero follows: this gives the paper's 156.8 M parameters.

    Args:
        dim: token width D; a multiple of `num_heads`.
        num_heads: number of heads; D / 64 by default.
        parts: what the layers are made of.
    """

    scores_tokens = True
    moves_prefix = False
    mixes_by_weights = True
    role = Role("attn.", ("fc",), optional=True)

    def __init__(self, dim: int, num_heads: int | None = None, *, parts: Parts = VIT) -> None:
        super().__init__()
        self.dim = dim
        self.attn = SelfAttention(dim, num_heads, parts=parts)
        self.fc = zero_linear(dim, dim)

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """`(B, S, D)` -> `(B, S, D)`."""
        prefix, video = grid.split(x)
        update = self.fc(self.attn(video.flatten(0, 2), Grid(1, 1, grid.width, prefix=0)))  # (B*T*H, W, D)
        return grid.join(torch.zeros_like(prefix), update.view(video.shape))

    def macs(self, grid: Grid) -> Macs:
        """`5 M D^2 + 2 T H W^2 D`."""
        fc = Macs(linear=grid.num_video_tokens * self.dim**2)
        return self_attention_macs(grid.frames * grid.height, grid.width, self.dim) + fc

    def kept_rows(self, grid: Grid, runs: int) -> KeptRows:
        """Without the prefix; `fc` keeps its input too."""
        return KeptRows(entering(grid, runs), grid.num_video_tokens, grid.num_video_tokens)

    def row_maps(self, weights: Tensor, grid: Grid) -> RowMaps:
        """A row for each row of each frame."""
        folds = Grid(grid.frames, grid.height, 1, 0)
        return RowMaps(weights.mean(1).unflatten(0, (-1, folds.num_tokens)), folds, Grid(1, 1, grid.width, 0))


class HeightAttention(VideoAttention):
    """Each column of each frame attends within itself and to the prefix, which joins every column as a copy.

    "H" of TimeSformer's axial T+W+H, https://arxiv.org/abs/2102.05095, section 3. As in `SpatialAttention`, the last
    step of the divided scheme, the prefix's update is the mean over the groups of what its copies became.

    Args:
        dim: token width D; a multiple of `num_heads`.
        num_heads: number of heads; D / 64 by default.
        parts: what the layers are made of.
    """

    scores_tokens = True
    mixes_by_weights = True
    role = Role("attn.", ("attn.proj",))

    def __init__(self, dim: int, num_heads: int | None = None, *, parts: Parts = VIT) -> None:
        super().__init__()
        self.dim = dim
        self.attn = SelfAttention(dim, num_heads, parts=parts)

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """`(B, S, D)` -> `(B, S, D)`."""
        prefix, video = grid.split(x)
        copies = prefix[:, None, None].expand(-1, grid.frames, grid.width, -1, -1)
        columns = torch.cat((copies, video.transpose(2, 3)), dim=3)  # (B, T, W, P + H, D)
        update = self.attn(columns.flatten(0, 2), grid.with_sides(1, grid.height, 1)).view(columns.shape)
        prefix, columns = update[:, :, :, : grid.prefix], update[:, :, :, grid.prefix :]
        return grid.join(prefix.mean((1, 2)), columns.transpose(2, 3))

    def macs(self, grid: Grid) -> Macs:
        """`4 T W (H + P) D^2 + 2 T W (H + P)^2 D`."""
        return self_attention_macs(grid.frames * grid.width, grid.height + grid.prefix, self.dim)

    def kept_rows(self, grid: Grid, runs: int) -> KeptRows:
        """The prefix is copied into every column."""
        copied = grid.num_video_tokens + grid.frames * grid.width * grid.prefix
        return KeptRows(copied, copied)

    def row_maps(self, weights: Tensor, grid: Grid) -> RowMaps:
        """A row for each column of each frame."""
        folds = Grid(grid.frames, 1, grid.width, 0)
        rows = weights.mean(1).unflatten(0, (-1, folds.num_tokens))
        return RowMaps(rows, folds, grid.with_sides(1, grid.height, 1))
