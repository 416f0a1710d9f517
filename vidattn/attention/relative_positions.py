"""Decomposed relative positions: what a query's offset from a key along each axis adds to their score."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidattn.attention.window import Triple


class RelativePositions(nn.Module):
    """A vector for each offset along each axis; its product with the query is added to the score.

    MViTv2, https://arxiv.org/abs/2112.01526, section 4.1, equation 4. Where the maps of queries and keys differ, one
    step of the smaller is several of the larger. Tables are for the clips that the network is made for, rows and
    columns alike; for others they are resized linearly, as in MViTv2's code.

    Args:
        head_dim: width of a head.
        queries: frames, rows and columns of the queries that the tables are made for.
        keys: those of the keys.
    """

    def __init__(self, head_dim: int, queries: Triple, keys: Triple) -> None:
        super().__init__()
        frames, *sides = (2 * max(q, k) - 1 for q, k in zip(queries, keys, strict=True))
        self.time, self.height, self.width = (
            nn.Parameter(nn.init.trunc_normal_(torch.empty(length, head_dim), std=0.02))
            for length in (frames, max(sides), max(sides))
        )

    def forward(self, queries: Tensor, keys: Triple) -> Tensor:
        """What is added to the scores, `(B, heads, n, L)`.

        Args:
            queries: on their map, `(B, heads, T, H, W, d)`, as they are, not scaled.
            keys: frames, rows and columns of the keys.
        """
        t, h, w = (
            offset_vectors(table, length, other)
            for table, length, other in zip(self._tables(), queries.shape[2:5], keys, strict=True)
        )
        frames = torch.einsum("bathwd,tkd->bathwk", queries, t)[..., :, None, None]
        rows = torch.einsum("bathwd,hkd->bathwk", queries, h)[..., None, :, None]
        columns = torch.einsum("bathwd,wkd->bathwk", queries, w)[..., None, None, :]
        return (frames + rows + columns).flatten(5).flatten(2, 4)

    def _tables(self) -> tuple[Tensor, Tensor, Tensor]:
        return self.time, self.height, self.width


def resized_offsets(table: Tensor, length: int) -> Tensor:
    """A table `(L, d)` for another number of offsets, linear; itself if nothing changes."""
    if len(table) == length:
        return table
    return F.interpolate(table.mT[None], length, mode="linear", align_corners=False)[0].mT


def offset_vectors(table: Tensor, queries: int, keys: int) -> Tensor:
    """The vector `(d,)` of each of `queries` positions to each of `keys` positions along an axis, `(Q, K, d)`.

    Position i of Q and j of K, in steps of the longer of the two, are `i a - j b` apart, a and b one step of each.
    """
    a, b = max(keys / queries, 1.0), max(queries / keys, 1.0)
    table = resized_offsets(table, 2 * max(queries, keys) - 1)
    ours = torch.arange(queries, device=table.device)[:, None] * a
    theirs = (keys - 1 - torch.arange(keys, device=table.device)) * b
    return table[(ours + theirs).long()]
