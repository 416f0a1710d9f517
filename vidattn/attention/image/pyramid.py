"""Spatial-reduction attention of the Pyramid Vision Transformer: every pixel attends to a shrunken map."""

import math

import torch.nn.functional as F
from torch import Tensor, nn

from vidattn.attention.base import ImageAttention, Role
from vidattn.attention.heads import attend, heads_of
from vidattn.attention.parts import VIT, Parts
from vidattn.macs import Macs
from vidattn.mistakes import Mistake


class SpatialReductionAttention(ImageAttention):
    """All pixels attend to the map reduced R-fold in each direction; returns the mixture, without a residual.

    PVT, https://arxiv.org/abs/2102.12122, section 3.3: keys and values come from `Norm(Reshape(x, R) W)`, which is a
    convolution of kernel and stride R and a LayerNorm. Where R does not divide the map, the last patches are filled up
    with zeros, so that every pixel counts; the official code drops those pixels from the keys.

    Args:
        dim: channel width D; a multiple of `num_heads`.
        reduction: R, at least 2; the paper takes 8, 4 and 2 in its first three stages.
        num_heads: number of heads; D / 64 by default.
        parts: what the layers are made of.

    Raises:
        ValueError: `reduction` is below 2, or `dim` is not a multiple of `num_heads`.
    """

    sees, cost, paper = "the map, reduced by R in each direction", "N^2 C / R^2", "PVT 2102.12122"
    role = Role(None, ("proj",), optional=True)

    def __init__(self, dim: int, reduction: int = 2, num_heads: int | None = None, *, parts: Parts = VIT) -> None:
        super().__init__()
        if reduction < 2:
            raise Mistake(f"reduction={reduction} reduces nothing; use MapAttention, or a reduction of 2 or more")
        self.num_heads = heads_of(dim, num_heads)
        self.dim = dim
        self.reduction = reduction
        self.q = parts.linear(dim, dim)
        self.reduce = nn.Conv2d(dim, dim, kernel_size=reduction, stride=reduction)
        self.norm = parts.norm(dim, 1e-5)
        self.kv = parts.linear(dim, 2 * dim)
        self.proj = parts.linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, D, H, W)` -> `(B, D, H, W)`."""
        height, width = x.shape[2:]
        filled = F.pad(x, (0, -width % self.reduction, 0, -height % self.reduction))
        reduced = self.norm(self.reduce(filled).flatten(2).transpose(1, 2))  # (B, n, D)
        q = self.q(x.flatten(2).transpose(1, 2)).unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
        k, v = self.kv(reduced).unflatten(-1, (2, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = self.proj(attend(q, k, v).transpose(1, 2).flatten(2))
        return mixed.transpose(1, 2).unflatten(2, (height, width))

    def macs(self, height: int, width: int) -> Macs:
        """`2 N D^2 + 2 n D^2 + 2 N n D`, and `n R^2 D^2` for the reduction: N pixels, n = N / R^2 of them as keys."""
        pixels = height * width
        keys = math.ceil(height / self.reduction) * math.ceil(width / self.reduction)
        return Macs(
            linear=2 * (pixels + keys) * self.dim**2,
            attention=2 * pixels * keys * self.dim,
            convolution=keys * (self.reduction * self.dim) ** 2,
        )
