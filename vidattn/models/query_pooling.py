"""VideoPrism's read-out: one learnt query over the normed tokens, in heads four times as wide."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidattn.attention.heads import attend, heads_of
from vidattn.attention.parts import VIT, Parts
from vidattn.grid import Grid
from vidattn.macs import Macs
from vidattn.models.readout import ReadOut

WIDER = 4
"""Width of queries, keys and values over the tokens'."""

AT_ZERO = 1.442695041
"""One over softplus(0): a scale of zeros changes nothing."""


class QueryPooling(ReadOut):
    """A learnt query attends to all normed tokens; a projection and a norm of its own follow. There is no prefix.

    The pooling head of VideoPrism, https://arxiv.org/abs/2402.13217, as in Hugging Face's classifier and in the video
    and text models (VideoPrism's own classifier is as wide as the tokens; no weights of either have been published).
    Each component of the queries has a learnt scale, shared by the heads.

    Args:
        dim: token width D; a multiple of `num_heads`.
        num_heads: number of heads; D / 64 by default.
        parts: what its layers are made of.

    Raises:
        ValueError: `dim` is not a multiple of `num_heads`.
    """

    num_prefix = 0
    takes_normed = True

    def __init__(self, dim: int, num_heads: int | None = None, parts: Parts = VIT) -> None:
        super().__init__()
        self.dim = dim
        self.num_heads = heads_of(dim, num_heads)
        self.query = nn.Parameter(nn.init.trunc_normal_(torch.empty(1, 1, dim), std=0.02))
        self.scale = nn.Parameter(torch.zeros(WIDER * dim // self.num_heads))
        self.q = parts.linear(dim, WIDER * dim)
        self.kv = parts.linear(dim, 2 * WIDER * dim)
        self.proj = parts.linear(WIDER * dim, dim)
        self.norm = parts.norm(dim, 1e-6)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, S, D)` -> `(B, D)`."""
        k, v = self.kv(x).unflatten(-1, (2, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        q = self.q(self.query.expand(x.shape[0], -1, -1)).unflatten(-1, (self.num_heads, -1))
        q = (q * (AT_ZERO * F.softplus(self.scale))).transpose(1, 2)  # (B, heads, 1, d)
        return self.norm(self.proj(attend(q, k, v).transpose(1, 2).flatten(1)))

    def macs(self, grid: Grid) -> Macs:
        """`8 S D^2 + 8 S D`, and `8 D^2` for the query and the projection."""
        tokens = grid.num_tokens
        return Macs(linear=2 * WIDER * (tokens + 1) * self.dim**2, attention=2 * WIDER * tokens * self.dim)
