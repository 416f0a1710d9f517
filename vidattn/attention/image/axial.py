"""Attention along the axes of the map: rows then columns, or both at once as a cross."""

import torch
from torch import Tensor

from vidattn.attention.base import ImageAttention, Role
from vidattn.attention.heads import SelfAttention, self_attention_macs
from vidattn.attention.parts import VIT, Parts
from vidattn.macs import Macs
from vidattn.mistakes import Mistake


class AxialAttention(ImageAttention):
    """Each row attends within itself, then each column; returns the mixture, without a residual.

    Axial attention, https://arxiv.org/abs/1912.12180, section 3; one after the other without a residual in between as
    in Axial-DeepLab, https://arxiv.org/abs/2003.07853, section 3.2, of which the position-sensitive terms are left out.

    Args:
        dim: channel width D; a multiple of `num_heads`.
        num_heads: number of heads; D / 64 by default.
        parts: what the layers are made of.
    """

    sees, cost, paper = "its row, then every row of its column", "N (H + W) C", "1912.12180, 2003.07853"
    role = Role(None, ("columns.proj",), optional=True)

    def __init__(self, dim: int, num_heads: int | None = None, *, parts: Parts = VIT) -> None:
        super().__init__()
        self.dim = dim
        self.rows = SelfAttention(dim, num_heads, parts=parts)
        self.columns = SelfAttention(dim, num_heads, parts=parts)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, D, H, W)` -> `(B, D, H, W)`."""
        pixels = x.permute(0, 2, 3, 1)  # (B, H, W, D)
        mixed = self.rows(pixels.flatten(0, 1)).view(pixels.shape)
        return self.columns.across(mixed).permute(0, 3, 1, 2)

    def macs(self, height: int, width: int) -> Macs:
        """`8 N D^2 + 2 N (H + W) D`."""
        return self_attention_macs(height, width, self.dim) + self_attention_macs(width, height, self.dim)


class CrissCrossAttention(ImageAttention):
    """Each pixel attends to its row and its column in one softmax; returns `x + mixture`, as in the paper.

    CCNet, https://arxiv.org/abs/1811.11721, section 3.2, equations 1 and 2: one head, narrow queries and keys, no
    scaling of the scores. Twice in a row with the same weights (the paper's recurrence) reaches the whole map. The
    official code also multiplies the mixture by a learned scalar that starts at zero.

    Args:
        dim: channel width D.
        reduction: D over the width of queries and keys.
        parts: what the layers are made of.

    Raises:
        ValueError: `dim` is not a multiple of `reduction`.
    """

    sees, cost, paper = "its row and column", "N (H + W) C", "CCNet 1811.11721"

    def __init__(self, dim: int, reduction: int = 8, *, parts: Parts = VIT) -> None:
        super().__init__()
        if dim % reduction:
            raise Mistake(f"dim={dim} is not a multiple of reduction={reduction}")
        self.dim = dim
        self.narrow = dim // reduction
        self.qkv = parts.linear(dim, 2 * self.narrow + dim)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, D, H, W)` -> `(B, D, H, W)`."""
        return x + self.update(x)

    def update(self, x: Tensor) -> Tensor:
        """The mixture."""
        height, width = x.shape[2:]
        q, k, v = self.qkv(x.permute(0, 2, 3, 1)).split((self.narrow, self.narrow, self.dim), dim=-1)
        # Products, not einsum: that multiplies element by element along an arm of length one, and no counter sees it.
        along_column = (q.transpose(1, 2) @ k.permute(0, 2, 3, 1)).transpose(1, 2)  # (B, H, W, H)
        # The pixel itself lies on both arms and counts once, in its row.
        itself = torch.eye(height, dtype=torch.bool, device=x.device).unsqueeze(1)
        along_column = along_column.masked_fill(itself, float("-inf"))
        along_row = q @ k.mT
        column, row = torch.cat((along_column, along_row), dim=-1).softmax(dim=-1).split((height, width), dim=-1)
        mixed = (column.transpose(1, 2) @ v.transpose(1, 2)).transpose(1, 2) + row @ v
        return mixed.permute(0, 3, 1, 2)

    def macs(self, height: int, width: int) -> Macs:
        """`N (D + 2 D') D + N (H + W) (D + D')` with D' = D / reduction."""
        pixels = height * width
        return Macs(
            linear=pixels * (self.dim + 2 * self.narrow) * self.dim,
            attention=pixels * (height + width) * (self.dim + self.narrow),
        )
