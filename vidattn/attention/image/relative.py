"""CoAtNet's relative attention: scores are what a pixel holds plus where it lies, seen from the other one."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidattn.attention.base import ImageAttention, Role
from vidattn.attention.heads import attend, heads_of
from vidattn.attention.parts import VIT, Parts
from vidattn.macs import Macs


class RelativeAttention(ImageAttention):
    """Every pixel attends to all, with a learned bias for each offset between two; returns the update.

    CoAtNet, https://arxiv.org/abs/2106.04803, section 2.1, equation 3 ("pre-normalization"):
    `softmax(q_i k_j / sqrt(d) + w_{i - j}) v_j`, one table w per head. On a map of another size than the table's, the
    table is interpolated bilinearly, as the paper does for fine-tuning at a higher resolution. The paper's heads are
    32 wide. A bias for every pair of pixels is written out: `heads * N^2` numbers.

    Args:
        dim: channels C; a multiple of `num_heads`.
        height: of the map that the table is made for, in pixels; 14 x 14 is a 224 px image's at stride 16.
        width: of that map.
        num_heads: number of heads; C / 64 by default.
        parts: what the layers are made of.
        out_dim: channels C' that leave, where the map becomes wider; C by default. Heads are of that width.

    Raises:
        ValueError: `dim` is not a multiple of `num_heads`.
    """

    sees, cost, paper = "the map, biased by offset", "N^2 C", "CoAtNet 2106.04803"
    role = Role("", ("proj",), optional=True)

    def __init__(
        self,
        dim: int,
        height: int = 14,
        width: int = 14,
        num_heads: int | None = None,
        *,
        parts: Parts = VIT,
        out_dim: int | None = None,
    ) -> None:
        super().__init__()
        self.dim, self.out_dim = dim, out_dim or dim
        self.num_heads = heads_of(self.out_dim, num_heads)
        self.qkv = parts.linear(dim, 3 * self.out_dim)
        self.proj = parts.linear(self.out_dim, self.out_dim)
        # Entry (head, dy + H - 1, dx + W - 1) is the bias for a query that lies (dy, dx) away from its key.
        self.table = nn.Parameter(torch.empty(self.num_heads, 2 * height - 1, 2 * width - 1))
        nn.init.trunc_normal_(self.table, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, H, W)` -> `(B, C', H, W)`."""
        tokens = x.flatten(2).transpose(1, 2)
        q, k, v = self.qkv(tokens).unflatten(-1, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = attend(q, k, v, self.bias(x.shape[2], x.shape[3])[None])  # (B, heads, N, d)
        return self.proj(mixed.transpose(1, 2).flatten(2)).transpose(1, 2).unflatten(2, x.shape[2:])

    def bias(self, height: int, width: int) -> Tensor:
        """`(heads, N, N)`: what is added to the score of query i and key j, on a map of `height x width`."""
        size = (2 * height - 1, 2 * width - 1)
        table: Tensor = self.table
        if table.shape[1:] != size:
            # Without aligned corners offset zero keeps its entry even on a map one pixel wide.
            table = F.interpolate(table[None], size, mode="bilinear", align_corners=False)[0]
        # Windows of H x W entries slide over the table: window i, entry m, is offset i + m - (H - 1).
        # Read backwards, m = H - 1 - j, it is offset i - j. Far cheaper than N^2 indices into the table.
        windows = table.unfold(1, height, 1).unfold(2, width, 1)  # (heads, H, W, H, W)
        return windows.flip(3, 4).flatten(3, 4).flatten(1, 2)

    def macs(self, height: int, width: int) -> Macs:
        """`3 N C C' + N C'^2 + 2 N^2 C'`."""
        pixels, width_after = height * width, self.out_dim
        linear = pixels * width_after * (3 * self.dim + width_after)
        return Macs(linear=linear, attention=2 * pixels**2 * width_after)
