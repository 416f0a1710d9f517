"""Sparse local-global attention: quadrants of the picture, then every second token of the clip."""

from itertools import product

import torch
from torch import Tensor

from vidattn.attention.base import KeptRows, Role, VideoAttention
from vidattn.attention.heads import SelfAttention, self_attention_macs
from vidattn.attention.parts import VIT, Parts, zero_linear
from vidattn.grid import Grid
from vidattn.macs import Macs


class LocalAttention(VideoAttention):
    """Each quadrant of the picture, in all frames, attends within itself; prefix tokens get a zero update.

    "L" of TimeSformer's L+G, https://arxiv.org/abs/2102.05095, section 3: "the neighboring F x H/2 x W/2 patches".
    Its code was never released. We read the neighbourhood as four fixed quadrants (a window that slides costs the
    same), with the middle row and column of an odd map in the first half; and as in `TemporalAttention` the class
    token takes no part, and a linear layer `fc` that starts at zero follows: this gives the paper's 121.4 M parameters.

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
        mixed = torch.empty_like(video)
        for rows, columns in product(halves(grid.height), halves(grid.width)):
            quadrant = video[:, :, rows, columns]
            update = self.attn(quadrant.flatten(1, 3), lying(quadrant, prefix=0))
            mixed[:, :, rows, columns] = update.view(quadrant.shape)
        return grid.join(torch.zeros_like(prefix), self.fc(mixed))

    def macs(self, grid: Grid) -> Macs:
        """`5 M D^2 + 2 M^2 D / 4` where height and width are even."""
        cost = Macs(linear=grid.num_video_tokens * self.dim**2)  # fc
        for rows, columns in product(halves(grid.height), halves(grid.width)):
            tokens = grid.frames * size(rows, grid.height) * size(columns, grid.width)
            cost += self_attention_macs(1, tokens, self.dim)
        return cost


class GlobalAttention(VideoAttention):
    """Tokens an even number of steps apart in time, height and width attend to one another and to the prefix.

    "G" of TimeSformer's L+G, https://arxiv.org/abs/2102.05095, section 3: "a stride of 2 patches along the temporal
    dimension and also the two spatial dimensions", so that the clip falls into eight groups, of unequal sizes where
    a side is odd (and fewer where it is 1). As in `SpatialAttention` the prefix joins every group as a copy, and its
    update is the mean over the groups of what its copies became.

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
        mixed, copies = torch.empty_like(video), []
        for times, rows, columns in product(phases(grid.frames), phases(grid.height), phases(grid.width)):
            group = video[:, times, rows, columns]
            update = self.attn(torch.cat((prefix, group.flatten(1, 3)), dim=1), lying(group, grid.prefix))
            copies.append(update[:, : grid.prefix])
            mixed[:, times, rows, columns] = update[:, grid.prefix :].view(group.shape)
        return grid.join(torch.stack(copies).mean(0), mixed)

    def macs(self, grid: Grid) -> Macs:
        """`4 (M + 8 P) D^2 + 16 (M/8 + P)^2 D` where frames, height and width are even."""
        cost = Macs()
        for times, rows, columns in product(phases(grid.frames), phases(grid.height), phases(grid.width)):
            tokens = size(times, grid.frames) * size(rows, grid.height) * size(columns, grid.width)
            cost += self_attention_macs(1, tokens + grid.prefix, self.dim)
        return cost

    def kept_rows(self, grid: Grid, runs: int) -> KeptRows:
        """The prefix is copied into every group."""
        groups = len(phases(grid.frames)) * len(phases(grid.height)) * len(phases(grid.width))
        copied = grid.num_video_tokens + groups * grid.prefix
        return KeptRows(copied, copied)


def lying(video: Tensor, prefix: int) -> Grid:
    """The grid of the video tokens `(B, T, H, W, D)`, with this many prefix tokens before them."""
    frames, height, width = video.shape[1:4]
    return Grid(frames, height, width, prefix)


def halves(length: int) -> list[slice]:
    """The first and the second half of an axis; the first is the larger; an axis of one has only the first.

    >>> halves(5)
    [slice(0, 3, None), slice(3, 5, None)]
    """
    middle = (length + 1) // 2
    return [slice(0, middle), slice(middle, length)][:length]


def phases(length: int) -> list[slice]:
    """The even and the odd places of an axis.

    >>> phases(5)
    [slice(0, None, 2), slice(1, None, 2)]
    """
    return [slice(0, None, 2), slice(1, None, 2)][:length]


def size(part: slice, length: int) -> int:
    """How many places of an axis `part` takes.

    >>> [size(part, 5) for part in phases(5)]
    [3, 2]
    """
    return len(range(length)[part])
