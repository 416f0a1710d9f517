"""Deformable attention: every pixel attends to points that the image itself moves to where it matters."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidattn.attention.base import ImageAttention, Role
from vidattn.attention.heads import attend, heads_of
from vidattn.attention.parts import VIT, Parts
from vidattn.checks import check_odd, check_positive
from vidattn.macs import Macs
from vidattn.mistakes import Mistake


class DeformableAttention(ImageAttention):
    """All pixels attend to features sampled at learned points; returns the mixture, without a residual.

    DAT, https://arxiv.org/abs/2201.00520, section 3.2. A coarse grid of points, one per `reduction x reduction` pixels,
    is moved by offsets that a small network reads off the queries; keys and values are made of the map's bilinear
    samples there (zero outside). Each group of channels has points of its own. The position bias table is left out:
    it ties a block to one size of map. Points start at the centres of their cells, which is the same place at
    every size; the paper's grid reaches from the centre of one corner pixel to that of the opposite one.

    Args:
        dim: channel width D; a multiple of `num_heads`.
        num_groups: groups G of channels; a divisor of the heads. The paper takes one per 4 heads.
        kernel_size: side of the offset network's depthwise convolution; odd.
        reduction: r, the stride between points in pixels.
        offset_range: the furthest that a point moves in each direction, in cells of the grid of points.
        num_heads: number of heads; D / 64 by default.

    Raises:
        ValueError: `kernel_size` is even, `reduction` is below 1, or heads or groups do not divide.
    """

    sees, cost, paper = "N / R^2 points that the image moves", "N^2 C / R^2", "DAT 2201.00520"
    role = Role(None, ("proj",), optional=True)

    def __init__(
        self,
        dim: int,
        num_groups: int = 1,
        kernel_size: int = 5,
        reduction: int = 2,
        offset_range: float = 1.0,
        num_heads: int | None = None,
        *,
        parts: Parts = VIT,
    ) -> None:
        super().__init__()
        self.num_heads = heads_of(dim, num_heads)
        if self.num_heads % num_groups:
            raise Mistake(f"num_heads={self.num_heads} is not a multiple of num_groups={num_groups}")
        check_odd(kernel_size=kernel_size)
        check_positive(reduction=reduction)
        self.dim, self.num_groups, self.kernel_size = dim, num_groups, kernel_size
        self.reduction, self.offset_range = reduction, offset_range
        width = dim // num_groups
        self.look = nn.Conv2d(width, width, kernel_size, stride=reduction, padding=kernel_size // 2, groups=width)
        self.norm = parts.norm(width, 1e-5)
        self.move = nn.Linear(width, 2, bias=False)  # no bias: it would move all points alike
        self.q = parts.linear(dim, dim)
        self.kv = parts.linear(dim, 2 * dim)
        self.proj = parts.linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, D, H, W)` -> `(B, D, H, W)`."""
        height, width = x.shape[2:]
        q = self.q(x.flatten(2).transpose(1, 2))  # (B, N, D)
        points = self.points(q.transpose(1, 2).reshape(-1, self.dim // self.num_groups, height, width))
        groups = x.reshape(-1, self.dim // self.num_groups, height, width).to(points.dtype)
        sampled = F.grid_sample(groups, points, align_corners=False).to(x.dtype)  # (B * G, D / G, H', W')
        sampled = sampled.reshape(x.shape[0], self.dim, sampled.shape[2] * sampled.shape[3]).transpose(
            1, 2
        )  # (B, n, D)
        k, v = self.kv(sampled).unflatten(-1, (2, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = attend(q.unflatten(-1, (self.num_heads, -1)).transpose(1, 2), k, v)
        return self.proj(mixed.transpose(1, 2).flatten(2)).transpose(1, 2).unflatten(2, (height, width))

    def points(self, q: Tensor) -> Tensor:
        """Where each group samples: queries `(B G, D / G, H, W)` -> `(B G, H', W', 2)`, x before y, edges at -1 and 1.

        In fp32 at least: in bf16 a coordinate would be off by a fifth of a pixel on a map of 56 pixels.
        """
        offsets = self.move(F.gelu(self.norm(self.look(q).permute(0, 2, 3, 1))))
        offsets = offsets.to(torch.promote_types(q.dtype, torch.float32)).tanh() * self.offset_range
        rows, columns = offsets.shape[1:3]
        cells = torch.stack(
            torch.meshgrid(
                torch.arange(columns, dtype=offsets.dtype, device=q.device),
                torch.arange(rows, dtype=offsets.dtype, device=q.device),
                indexing="xy",
            ),
            dim=-1,
        )  # (H', W', 2)
        size = torch.tensor((columns, rows), dtype=offsets.dtype, device=q.device)
        return (cells + 0.5 + offsets) * 2 / size - 1

    def macs(self, height: int, width: int) -> Macs:
        """`2 N D^2 + 2 n D^2 + 2 N n D + n (k^2 + 2) D`: N pixels, n = N / r^2 points; sampling counts nothing."""
        pixels = height * width
        points = math.ceil(height / self.reduction) * math.ceil(width / self.reduction)
        return Macs(
            linear=2 * (pixels + points) * self.dim**2 + 2 * points * self.dim,
            attention=2 * pixels * points * self.dim,
            convolution=points * self.kernel_size**2 * self.dim,
        )
