"""Swin's window attention: windows side by side, and the same windows shifted by half of one."""

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from vidattn.attention.base import ImageAttention, Role
from vidattn.attention.heads import attend, heads_of
from vidattn.attention.parts import VIT, Parts
from vidattn.checks import check_positive
from vidattn.macs import Macs


class WindowAttention(ImageAttention):
    """Every window of w x w pixels attends within itself, with a relative position bias.

    Swin Transformer, https://arxiv.org/abs/2103.14030, section 3.2 (W-MSA). A map that the window does not divide is
    padded after the projection and the padding is masked; Swin's code (and torchvision's) pads before it and lets
    every pixel of a border window attend to the padding. On a map smaller than the window, the window is the map.

    Args:
        dim: channels C; a multiple of `num_heads`.
        window_size: side w of the windows, in pixels.
        num_heads: number of heads; C / 64 by default.
        parts: what the layers are made of.

    Raises:
        ValueError: `window_size` is below 1, or `dim` is not a multiple of `num_heads`.
    """

    sees, cost, paper = "its w x w window", "N w^2 C", "Swin 2103.14030"
    role = Role("attn.", ("attn.proj",), optional=True)

    def __init__(self, dim: int, window_size: int = 7, num_heads: int | None = None, *, parts: Parts = VIT) -> None:
        super().__init__()
        self.attn = _Windows(dim, window_size, num_heads, parts)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, H, W)` -> `(B, C, H, W)`."""
        return self.attn(x, shift=0)

    def macs(self, height: int, width: int) -> Macs:
        """`4 N C^2 + 2 N' w^2 C`, with N' the pixels of the padded map."""
        return self.attn.macs(height, width)


class ShiftedWindowAttention(ImageAttention):
    """The windows of `WindowAttention`, shifted down and right by half a window: they join what those keep apart.

    Swin Transformer, https://arxiv.org/abs/2103.14030, section 3.2 (SW-MSA), by the cyclic shift of figure 4: the cut
    windows of the border share one window of the product, and a mask keeps them apart. An axis that one window covers
    is not shifted, as in Swin's code.

    Args:
        dim: channels C; a multiple of `num_heads`.
        window_size: side w of the windows, in pixels; the shift is `w // 2`.
        num_heads: number of heads; C / 64 by default.
        parts: what the layers are made of.

    Raises:
        ValueError: `window_size` is below 1, or `dim` is not a multiple of `num_heads`.
    """

    sees, cost, paper = "its w x w window, shifted by half of it", "N w^2 C", "Swin 2103.14030"
    role = Role("attn.", ("attn.proj",), optional=True)
    weights_of = WindowAttention

    def __init__(self, dim: int, window_size: int = 7, num_heads: int | None = None, *, parts: Parts = VIT) -> None:
        super().__init__()
        self.attn = _Windows(dim, window_size, num_heads, parts)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, H, W)` -> `(B, C, H, W)`."""
        return self.attn(x, shift=self.attn.window_size // 2)

    def macs(self, height: int, width: int) -> Macs:
        """`4 N C^2 + 2 N' w^2 C`, with N' the pixels of the padded map."""
        return self.attn.macs(height, width)


class _Windows(nn.Module):
    """Self-attention in windows, with one bias per head and offset."""

    def __init__(self, dim: int, window_size: int, num_heads: int | None, parts: Parts) -> None:
        super().__init__()
        self.num_heads = heads_of(dim, num_heads)
        check_positive(window_size=window_size)
        self.dim = dim
        self.window_size = window_size
        self.qkv = parts.linear(dim, 3 * dim)
        # Indexed by query minus key, plus w - 1: Swin's table ((2w - 1)^2, heads), transposed and unflattened.
        self.bias = nn.Parameter(torch.empty(self.num_heads, 2 * window_size - 1, 2 * window_size - 1))
        self.proj = parts.linear(dim, dim)
        nn.init.trunc_normal_(self.bias, std=0.02)

    def forward(self, x: Tensor, shift: int) -> Tensor:
        height, width = x.shape[2:]
        h, w = min(self.window_size, height), min(self.window_size, width)
        pad = (-height % h, -width % w)
        shifts = (shift if height > h else 0, shift if width > w else 0)

        qkv = F.pad(self.qkv(x.movedim(1, -1)), (0, 0, 0, pad[1], 0, pad[0]))
        if any(shifts):
            qkv = qkv.roll((-shifts[0], -shifts[1]), (1, 2))
        pattern = "b (i h) (j w) (three heads d) -> three b (i j heads) (h w) d"
        q, k, v = rearrange(qkv, pattern, three=3, h=h, w=w, heads=self.num_heads)

        bias = self._relative_bias(h, w).expand(q.shape[1] // self.num_heads, -1, -1, -1)
        if any(shifts) or any(pad):
            rows, columns = _regions(height, h, shifts[0], x.device), _regions(width, w, shifts[1], x.device)
            together = _same(rows)[:, None, :, None, :, None] & _same(columns)[None, :, None, :, None, :]
            together = together.flatten(4, 5).flatten(2, 3).flatten(0, 1)  # (windows, h w, h w)
            bias = bias.masked_fill(~together[:, None], -torch.inf)
        mixed = attend(q, k, v, bias.flatten(0, 1)[None])

        sizes = {"i": (height + pad[0]) // h, "h": h, "w": w, "heads": self.num_heads}
        mixed = rearrange(mixed, "b (i j heads) (h w) d -> b (i h) (j w) (heads d)", **sizes)
        if any(shifts):
            mixed = mixed.roll(shifts, (1, 2))
        return self.proj(mixed[:, :height, :width]).movedim(-1, 1)

    def _relative_bias(self, height: int, width: int) -> Tensor:
        """The bias within one window, `(heads, h w, h w)`."""
        # Windows of H x W entries slide over the table: window i, entry m, is offset i + m - (H - 1). Read backwards,
        # m = H - 1 - j, it is offset i - j. Far cheaper than an index for each pair of pixels.
        spare_rows, spare_columns = self.window_size - height, self.window_size - width
        table = self.bias[:, spare_rows : self.bias.shape[1] - spare_rows]
        table = table[:, :, spare_columns : self.bias.shape[2] - spare_columns]
        windows = table.unfold(1, height, 1).unfold(2, width, 1)  # (heads, H, W, H, W)
        return windows.flip(3, 4).flatten(3, 4).flatten(1, 2)

    def macs(self, height: int, width: int) -> Macs:
        h, w = min(self.window_size, height), min(self.window_size, width)
        padded = (height + -height % h) * (width + -width % w)
        return Macs(linear=4 * height * width * self.dim**2, attention=2 * padded * h * w * self.dim)


def _regions(length: int, window: int, shift: int, device: torch.device) -> Tensor:
    """`(windows, window)`: the window of the unrolled axis that each position of the padded, rolled axis belongs to."""
    position = torch.arange(length + -length % window, device=device).roll(-shift)
    region = (position - shift) // window  # -1 for what the shift cuts off
    return region.masked_fill(position >= length, -2).view(-1, window)


def _same(regions: Tensor) -> Tensor:
    return regions[:, :, None] == regions[:, None, :]
