"""The classifier that V-JEPA 2 is judged by: a small transformer that ends in one learnt query."""

import math

import torch
from torch import Tensor, nn

from vidattn.attention.heads import attend
from vidattn.attention.joint import JointAttention
from vidattn.attention.parts import VIT, Parts
from vidattn.grid import Grid
from vidattn.macs import Macs
from vidattn.models.block import Block
from vidattn.models.layers import Mlp
from vidattn.models.readout import ReadOut

DEPTH, HEADS, EPS = 3, 16, 1e-5
"""Blocks before the query, heads, and what is added to the variance: `num_probe_blocks: 4` and `num_heads: 16` of the
official configurations, whatever the encoder has, and PyTorch's own eps."""


class AttentiveProbe(ReadOut):
    """Three blocks of joint attention over the normed tokens, then a learnt query that attends to all; no prefix.

    The attentive probe of V-JEPA 2, https://arxiv.org/abs/2506.09985, section 5 (`src/models/attentive_pooler.py` in
    its code). In the last block only keys and values are normed, what the heads make is added to the query as it was
    learnt, with no projection between, and an MLP follows. It has 16 heads also where the encoder has others (Hugging
    Face's port takes the encoder's, and its eps of 1e-6); at widths that 16 does not divide, as many as do.

    Args:
        dim: token width D.
        num_heads: the encoder's, which make no difference.
        parts: what its layers are made of.
    """

    num_prefix = 0
    takes_normed = True

    def __init__(self, dim: int, num_heads: int | None = None, parts: Parts = VIT) -> None:
        super().__init__()
        self.dim = dim
        self.num_heads = math.gcd(dim, HEADS)
        self.self_attention = nn.ModuleList(
            Block(dim, [JointAttention(dim, self.num_heads, parts=parts)], norm_eps=EPS, parts=parts)
            for _ in range(DEPTH)
        )
        self.query = nn.Parameter(nn.init.trunc_normal_(torch.empty(1, 1, dim), std=0.02))
        self.q = parts.linear(dim, dim)
        self.norm = parts.norm(dim, EPS)
        self.kv = parts.linear(dim, 2 * dim)
        self.mlp_norm = parts.norm(dim, EPS)
        self.mlp = Mlp(dim, 4 * dim, parts=parts)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, S, D)` -> `(B, D)`."""
        line = Grid(1, 1, x.shape[1], 0)
        for block in self.self_attention:
            x = block(x, line)
        k, v = self.kv(self.norm(x)).unflatten(-1, (2, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        query = self.query.expand(x.shape[0], -1, -1)
        q = self.q(query).unflatten(-1, (self.num_heads, -1)).transpose(1, 2)  # (B, heads, 1, d)
        pooled = (query + attend(q, k, v).transpose(1, 2).flatten(2)).squeeze(1)
        return pooled + self.mlp(self.mlp_norm(pooled))

    def macs(self, grid: Grid) -> Macs:
        """Three blocks of `12 S D^2 + 2 S^2 D`, then `(2 S + 1) D^2 + 2 S D`, and `8 D^2` in the MLP."""
        tokens = grid.num_tokens
        last = Macs(linear=(2 * tokens + 1) * self.dim**2, attention=2 * tokens * self.dim) + self.mlp.macs(1)
        line = Grid(1, 1, tokens, 0)
        return sum((block.macs(line) for block in self.self_attention), last)  # type: ignore[operator]
