"""Two-stage attention of Twins: within local windows, then to one representative of each patch of the whole map."""

import math

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from vidattn.attention.base import ImageAttention, Role
from vidattn.attention.heads import attend, heads_of
from vidattn.attention.image.pyramid import SpatialReductionAttention
from vidattn.attention.parts import VIT, Parts
from vidattn.checks import check_positive
from vidattn.macs import Macs


class LocallyGroupedAttention(ImageAttention):
    """Each window of the map attends within itself; returns the mixture, without a residual.

    "LSA" of Twins, https://arxiv.org/abs/2104.13840, section 3.2: no shift, no position bias. Windows that stick out
    of the map hold fewer pixels (the official code's default lets pixels attend to zeros there); windows larger than
    the map shrink to it.

    Args:
        dim: channel width D; a multiple of `num_heads`.
        window: side of a window, in pixels.
        num_heads: number of heads; D / 64 by default.
        parts: what the layers are made of.

    Raises:
        ValueError: `window` is below 1, or `dim` is not a multiple of `num_heads`.
    """

    sees, cost, paper = "its w x w window, no position bias", "N w^2 C", "Twins 2104.13840"
    role = Role("", ("proj",), optional=True)

    def __init__(self, dim: int, window: int = 7, num_heads: int | None = None, *, parts: Parts = VIT) -> None:
        super().__init__()
        check_positive(window=window)
        self.num_heads = heads_of(dim, num_heads)
        self.dim = dim
        self.window = window
        self.qkv = parts.linear(dim, 3 * dim)
        self.proj = parts.linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, D, H, W)` -> `(B, D, H, W)`."""
        height, width = x.shape[2:]
        rows, columns = min(self.window, height), min(self.window, width)
        fill = (0, -width % columns, 0, -height % rows)
        qkv = self.qkv(x.permute(0, 2, 3, 1))
        q, k, v = rearrange(
            F.pad(qkv, (0, 0, *fill)),
            "b (y r) (x c) (n h d) -> n (b y x) h (r c) d",
            n=3, r=rows, c=columns, h=self.num_heads,
        )  # fmt: skip
        bias = None
        if any(fill):
            outside = F.pad(q.new_zeros(height, width), fill, value=-torch.inf)
            bias = rearrange(outside, "(y r) (x c) -> (y x) 1 1 (r c)", r=rows, c=columns).repeat(x.shape[0], 1, 1, 1)
        mixed = attend(q, k, v, bias)
        mixed = rearrange(
            mixed,
            "(b y x) h (r c) d -> b (y r) (x c) (h d)",
            r=rows, y=math.ceil(height / rows), x=math.ceil(width / columns),
        )  # fmt: skip
        return self.proj(mixed[:, :height, :width]).permute(0, 3, 1, 2)

    def macs(self, height: int, width: int) -> Macs:
        """`4 N D^2 + 2 m w^4 D` for m windows of side w: `2 N w^2 D` where windows tile the map."""
        rows, columns = min(self.window, height), min(self.window, width)
        windows = math.ceil(height / rows) * math.ceil(width / columns)
        return Macs(
            linear=4 * height * width * self.dim**2,
            attention=2 * windows * (rows * columns) ** 2 * self.dim,
        )


class TwoStageAttention(ImageAttention):
    """Attention within windows, then of every pixel to sparse global keys; returns the sum of both updates.

    Twins-SVT, https://arxiv.org/abs/2104.13840, section 3.2, equation 5: the second stage reads the map after the
    first one's residual. Norms and MLPs between the two stay with the network around it; to have them, put
    `LocallyGroupedAttention` and `SpatialReductionAttention` (the paper's "GSA") in steps of their own.

    Args:
        dim: channel width D; a multiple of `num_heads`.
        window: side of a local window, in pixels.
        reduction: side of the patch that one global key stands for; the paper takes 7, then 4 and 2 on smaller maps.
        num_heads: number of heads; D / 64 by default.
        parts: what the layers are made of.
    """

    sees, cost, paper = "its window, then the map reduced by R", "N (w^2 + N/R^2) C", "Twins 2104.13840"
    role = Role(None, ("grouped.proj", "subsampled.proj"), optional=True)

    def __init__(
        self, dim: int, window: int = 7, reduction: int = 7, num_heads: int | None = None, *, parts: Parts = VIT
    ) -> None:
        super().__init__()
        self.grouped = LocallyGroupedAttention(dim, window, num_heads, parts=parts)
        self.subsampled = SpatialReductionAttention(dim, reduction, num_heads, parts=parts)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, D, H, W)` -> `(B, D, H, W)`."""
        update = self.grouped(x)
        return update + self.subsampled(x + update)

    def macs(self, height: int, width: int) -> Macs:
        """The cost of the two stages; their attention is least, `O(N^1.5 D)`, where w R = sqrt(N)."""
        return self.grouped.macs(height, width) + self.subsampled.macs(height, width)
