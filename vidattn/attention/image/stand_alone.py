"""Stand-alone self-attention: a k x k window of keys with relative positions, in the place of a convolution."""

import torch
from torch import Tensor, nn

from vidattn.attention.base import ImageAttention
from vidattn.attention.heads import heads_of
from vidattn.attention.image.pixel_windows import centred, local_attention
from vidattn.attention.parts import VIT, Parts
from vidattn.checks import check_odd
from vidattn.macs import Macs
from vidattn.mistakes import Mistake


class StandAloneAttention(ImageAttention):
    """Every pixel attends to the k x k "memory block" around it: `softmax(q.k + q.r) v`; no biases, no projection.

    Stand-Alone Self-Attention in Vision Models, https://arxiv.org/abs/1906.05909, section 3.1. The relative embedding
    r of each head joins one of its row offset and one of its column offset, d/2 channels each; scores are summed over
    all channels of a head and not scaled, as in equation 3. The paper is silent on the border: here the window is
    cut off at the edge of the map, so that nothing outside it is attended to.

    Args:
        dim: channels C; a multiple of twice `num_heads`.
        kernel_size: side k of the window; odd.
        num_heads: number of heads; C / 64 by default.
        parts: what the layers are made of.

    Raises:
        ValueError: `kernel_size` is even, or `dim` is not a multiple of `2 * num_heads`.
    """

    sees, cost, paper = "the k x k pixels around it", "N k^2 C", "1906.05909"

    def __init__(self, dim: int, kernel_size: int = 7, num_heads: int | None = None, *, parts: Parts = VIT) -> None:
        super().__init__()
        self.num_heads = heads_of(dim, num_heads)
        if dim % (2 * self.num_heads):
            raise Mistake(f"dim={dim} is not a multiple of 2 * num_heads={2 * self.num_heads}: row and column halves")
        check_odd(kernel_size=kernel_size)
        self.dim = dim
        self.kernel_size = kernel_size
        half = dim // self.num_heads // 2
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.row_embedding = nn.Parameter(torch.empty(self.num_heads, half, kernel_size))
        self.column_embedding = nn.Parameter(torch.empty(self.num_heads, half, kernel_size))
        nn.init.trunc_normal_(self.qkv.weight, std=parts.std)
        nn.init.normal_(self.row_embedding, std=(2 * half) ** -0.5)
        nn.init.normal_(self.column_embedding, std=(2 * half) ** -0.5)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, H, W)` -> `(B, C, H, W)`."""
        rows, columns = (centred(n, self.kernel_size, x.device) for n in x.shape[2:])
        qkv = self.qkv(x.movedim(1, -1)).unflatten(-1, (3, self.num_heads, -1))  # (B, H, W, 3, heads, d)
        q, k, v = qkv.permute(3, 0, 4, 1, 2, 5)
        q_row, q_column = q.flatten(2, 3).chunk(2, dim=-1)  # (B, heads, H W, d / 2)
        by_row = (q_row @ self.row_embedding).unflatten(2, q.shape[2:4])  # (B, heads, H, W, k)
        by_column = (q_column @ self.column_embedding).unflatten(2, q.shape[2:4])
        relative = by_row[..., :, None] + by_column[..., None, :]
        mixed = local_attention(q, k, v, rows, columns, relative, scale=1.0)
        return mixed.permute(0, 1, 4, 2, 3).flatten(1, 2)

    def macs(self, height: int, width: int) -> Macs:
        """`3 N C^2 + k N C` (the embeddings: `q.r`) and `2 N k^2 C`, keys cut off at the border included."""
        n, k = height * width, self.kernel_size
        return Macs(linear=3 * n * self.dim**2 + n * k * self.dim, attention=2 * n * k**2 * self.dim)
