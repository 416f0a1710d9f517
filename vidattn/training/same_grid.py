"""What one network says of its tokens, put on the grid of another that sees the same clip in other patches."""

import torch
from torch import Tensor

from vidattn.attention.base import RowMaps
from vidattn.grid import Grid


def overlaps(old: int, new: int, like: Tensor) -> Tensor:
    """`(new, old)`: which share of each of `old` equal pieces of a line lies in each of `new` equal pieces of it.

    >>> overlaps(3, 2, torch.ones(()))
    tensor([[1.0000, 0.5000, 0.0000],
            [0.0000, 0.5000, 1.0000]])
    """
    ends = torch.arange(1, old + 1).double() / old
    parts = torch.arange(1, new + 1).double() / new
    last = torch.minimum(ends, parts[:, None])
    first = torch.maximum(ends - 1 / old, parts[:, None] - 1 / new)
    return ((last - first).clamp(min=0) * old).to(like)


def on_grid(video: Tensor, grid: Grid) -> Tensor:
    """`(B, T, H, W, D)` -> `(B, t, h, w, D)`, the mean over what each token of `grid` covers."""
    for axis, new in enumerate(grid.sides(), start=1):
        if video.shape[axis] != new:
            shares = overlaps(video.shape[axis], new, video)
            means = shares / shares.sum(1, keepdim=True)
            video = torch.tensordot(video, means, ([axis], [1])).movedim(-1, axis)
    return video


def shares_on_grid(video: Tensor, grid: Grid) -> Tensor:
    """Shares `(B, T, H, W)` that sum to 1 -> `(B, t, h, w)` that do: a token's goes to the tokens in its place."""
    for axis, new in enumerate(grid.sides(), start=1):
        if video.shape[axis] != new:
            parts = overlaps(video.shape[axis], new, video)
            video = torch.tensordot(video, parts, ([axis], [1])).movedim(-1, axis)
    return video


def maps_on_grid(maps: RowMaps, folds: Grid, row: Grid) -> Tensor:
    """Weights `(B, F, n, n)` of one network on another's grid, `(B, F', n', n')`; rows go on summing to 1.

    A row of the new map is the mean over the old rows that it covers, and what these gave to a key is shared out among
    the new keys in its place. Prefix tokens stay what they are.

    Args:
        maps: the weights, and how they lie.
        folds: how the new rows lie beside one another.
        row: how the tokens of each lie; as many prefix tokens as before.
    """
    weights = maps.weights
    if folds.sides() != maps.folds.sides():
        parts = between(maps.folds, folds, weights)
        weights = torch.einsum("gf,bfmn->bgmn", parts / parts.sum(1, keepdim=True), weights)
    if row.sides() != maps.row.sides():
        parts = between(maps.row, row, weights)
        weights = parts / parts.sum(1, keepdim=True) @ weights @ parts.T
    return weights


def between(old: Grid, new: Grid, like: Tensor) -> Tensor:
    """`(n', n)`: which share of each token of one grid lies in each token of the other."""
    parts = torch.ones(1, 1).to(like)
    for before, after in zip(old.sides(), new.sides(), strict=True):
        parts = torch.kron(parts, overlaps(before, after, like))
    return torch.block_diag(torch.eye(old.prefix).to(like), parts) if old.prefix else parts


def places_alone(maps: RowMaps, weights: Tensor) -> RowMaps:
    """The maps with these rows, `(B, F, m, n)`, and without the prefix among their keys: they sum to 1 again."""
    weights = weights[..., maps.row.prefix :]
    weights = weights / weights.sum(-1, keepdim=True).clamp(min=1e-9)
    return RowMaps(weights, maps.folds, maps.row._replace(prefix=0))


def divergence(wanted: Tensor, found: Tensor) -> Tensor:
    """`KL(wanted || found)` over the last axis, the mean over the others; a scalar."""
    return (wanted * (wanted.clamp(min=1e-8).log() - found.clamp(min=1e-8).log())).sum(-1).mean()
