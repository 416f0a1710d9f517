"""ACmix: one set of projections feeds a local self-attention and a convolution, and their sum goes on."""

import torch
from torch import Tensor, nn

from vidattn.attention.base import ImageAttention, Role
from vidattn.attention.heads import heads_of
from vidattn.attention.image.pixel_windows import centred, local_attention
from vidattn.attention.parts import VIT, Parts
from vidattn.checks import check_odd
from vidattn.macs import Macs


class ACmix(ImageAttention):
    """`alpha * local attention + beta * convolution`, both of the same q, k and v; returns that sum.

    https://arxiv.org/abs/2111.14556, section 4. The convolution path mixes the 3 x heads maps into `k^2` and shifts
    and sums these, as a grouped convolution that starts as exactly the shifts (section 4.2). The official code also
    gives keys a learned linear map of their coordinates, relative to the query's; so do we. It reflects the map at its
    borders; here windows are cut off there.

    Args:
        dim: channel width D; a multiple of `num_heads`.
        attention_kernel: side of the attention's window; odd.
        conv_kernel: side of the convolution; odd.
        num_heads: number of heads; D / 64 by default.
        parts: what the layers are made of.

    Raises:
        ValueError: a kernel is even, or `dim` is not a multiple of `num_heads`.
    """

    sees, cost, paper = "k x k pixels, by attention and by convolution", "N k^2 C", "ACmix 2111.14556"
    role = Role(None, ("alpha", "beta"), optional=True)

    def __init__(
        self,
        dim: int,
        attention_kernel: int = 7,
        conv_kernel: int = 3,
        num_heads: int | None = None,
        *,
        parts: Parts = VIT,
    ) -> None:
        super().__init__()
        self.num_heads = heads_of(dim, num_heads)
        check_odd(attention_kernel=attention_kernel, conv_kernel=conv_kernel)
        self.dim, self.attention_kernel, self.conv_kernel = dim, attention_kernel, conv_kernel
        width, taps = dim // self.num_heads, conv_kernel**2
        self.qkv = parts.linear(dim, 3 * dim)
        self.position = nn.Linear(2, width)
        self.mix = nn.Linear(3 * self.num_heads, taps, bias=False)
        self.shift = nn.Conv2d(taps * width, dim, conv_kernel, padding=conv_kernel // 2, groups=width)
        with torch.no_grad():  # tap (i, j) of a group starts as the map seen from (i, j)
            self.shift.weight.copy_(
                torch.eye(taps).view(1, taps, conv_kernel, conv_kernel).expand_as(self.shift.weight)
            )
        nn.init.zeros_(self.shift.bias)  # type: ignore[arg-type]
        self.alpha = nn.Parameter(torch.tensor(0.5))
        self.beta = nn.Parameter(torch.tensor(0.5))

    def forward(self, x: Tensor) -> Tensor:
        """`(B, D, H, W)` -> `(B, D, H, W)`."""
        height, width = x.shape[2:]
        qkv = self.qkv(x.permute(0, 2, 3, 1)).unflatten(-1, (3, self.num_heads, -1))  # (B, H, W, 3, h, d)
        taps = self.mix(qkv.flatten(3, 4).transpose(-2, -1))  # (B, H, W, d, k^2)
        convolved = self.shift(taps.flatten(3).permute(0, 3, 1, 2))
        q, k, v = qkv.permute(3, 0, 4, 1, 2, 5)  # (B, h, H, W, d)
        # q (k_j + p_i - p_j): p_i adds the same to all scores of a query and cancels in the softmax.
        rows, columns = (centred(n, self.attention_kernel, x.device) for n in (height, width))
        mixed = local_attention(q, k - self.positions(height, width), v, rows, columns)
        return self.alpha * mixed.permute(0, 1, 4, 2, 3).flatten(1, 2) + self.beta * convolved

    def positions(self, height: int, width: int) -> Tensor:
        """`(H, W, d)`: a linear map of (x, y), both from -1 to 1. Element-wise, so it counts no MACs."""
        along_x, along_y = self.position.weight.unbind(1)
        x = torch.linspace(-1, 1, width, dtype=along_x.dtype, device=along_x.device)
        y = torch.linspace(-1, 1, height, dtype=along_x.dtype, device=along_x.device)
        return (x.view(1, -1, 1) * along_x + y.view(-1, 1, 1) * along_y) + self.position.bias

    def macs(self, height: int, width: int) -> Macs:
        """`3 N D^2 + 3 k^2 N D`, `2 K^2 N D` for attention, `k^4 N D` for shifts; window side K, convolution side k."""
        values = height * width * self.dim
        return Macs(
            linear=3 * values * self.dim + 3 * self.conv_kernel**2 * values,
            attention=2 * self.attention_kernel**2 * values,
            convolution=self.conv_kernel**4 * values,
        )
