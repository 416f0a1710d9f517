"""From pixels to tokens: patches, and the tables that say where and when a patch is."""

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from vidattn.macs import Macs


class PatchEmbedding(nn.Module):
    """Each `patch_size x patch_size` patch of each frame through one linear layer.

    ViT, https://arxiv.org/abs/2010.11929, equation 1. The weight has the shape of the equivalent convolution's.

    Args:
        dim: token width D.
        patch_size: side of a patch in pixels.
    """

    def __init__(self, dim: int, patch_size: int) -> None:
        super().__init__()
        self.patch_size = patch_size
        convolution = nn.Conv2d(3, dim, patch_size, patch_size)  # for its initialisation
        self.weight = convolution.weight
        self.bias = convolution.bias

    def forward(self, video: Tensor) -> Tensor:
        """`(B, 3, T, H, W)` -> `(B, T, H/p, W/p, D)`; H and W are multiples of the patch size."""
        p = self.patch_size
        patches = rearrange(video, "b c t (h p) (w q) -> b t h w (c p q)", p=p, q=p)
        return F.linear(patches, self.weight.flatten(1), self.bias)

    def macs(self, tokens: int) -> Macs:
        """`3 p^2 D` per token."""
        return Macs(convolution=tokens * self.weight.numel())


class PositionTable(nn.Module):
    """A learned vector for each location, and one for each prefix token; resized bicubically to other maps.

    Starts as unit-scale sine and cosine waves, one half of the width for rows and one for columns: trained from
    scratch, a table that starts near zero never tells positions apart (measured; see the README).

    Args:
        dim: token width D.
        height: rows of patches that the table has.
        width: columns of patches that the table has.
        prefix: number of prefix tokens.
    """

    def __init__(self, dim: int, height: int, width: int, prefix: int) -> None:
        super().__init__()
        self.height, self.width, self.prefix = height, width, prefix
        rows = sine_cosine(height, dim // 2)[:, None].expand(-1, width, -1)
        columns = sine_cosine(width, dim - dim // 2).expand(height, -1, -1)
        waves = torch.cat((rows, columns), dim=-1).flatten(0, 1)
        self.table = nn.Parameter(torch.cat((torch.zeros(prefix, dim), waves))[None])

    def forward(self, height: int, width: int) -> tuple[Tensor, Tensor]:
        """Vectors of the prefix `(1, P, D)` and of a map `(1, h, w, D)`."""
        prefix, table = self.table[:, : self.prefix], self.table[:, self.prefix :]
        table = table.unflatten(1, (self.height, self.width))
        if (height, width) != (self.height, self.width):
            table = table.permute(0, 3, 1, 2)
            table = F.interpolate(table, (height, width), mode="bicubic", align_corners=False).permute(0, 2, 3, 1)
        return prefix, table


class TimeTable(nn.Module):
    """A learned vector for each frame of the clip; resized linearly to other lengths.

    Starts as unit-scale sine and cosine waves, for the same reason as `PositionTable`.

    Args:
        dim: token width D.
        num_frames: frames that the table has.
    """

    def __init__(self, dim: int, num_frames: int) -> None:
        super().__init__()
        self.table = nn.Parameter(sine_cosine(num_frames, dim)[None])

    def forward(self, frames: int) -> Tensor:
        """Vectors `(1, T, D)`."""
        if frames == self.table.shape[1]:
            return self.table
        return F.interpolate(self.table.mT, frames, mode="linear", align_corners=False).mT


def sine_cosine(positions: int, dim: int, temperature: float = 30.0) -> Tensor:
    """`(positions, dim)`: sines of the position at falling frequencies, then cosines; amplitude 1.

    Attention Is All You Need, https://arxiv.org/abs/1706.03762, section 3.5, but with a temperature of 30 in place of
    10000: frames, rows and columns count in tens, and slower waves would hardly tell them apart. An odd last
    component is zero.

    >>> sine_cosine(2, 2)
    tensor([[0.0000, 1.0000],
            [0.8415, 0.5403]])
    """
    half = dim // 2
    frequencies = temperature ** (-torch.arange(half, dtype=torch.float64) / max(half, 1))
    angles = torch.arange(positions, dtype=torch.float64)[:, None] * frequencies
    waves = torch.cat((angles.sin(), angles.cos(), torch.zeros(positions, dim - 2 * half)), dim=-1)
    return waves.float()
