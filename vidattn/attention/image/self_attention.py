"""Full self-attention over the map, as in ViT: every pixel sees every pixel. The yardstick of the other blocks."""

from torch import Tensor

from vidattn.attention.base import ImageAttention, Role
from vidattn.attention.heads import SelfAttention, self_attention_macs
from vidattn.attention.parts import VIT, Parts
from vidattn.macs import Macs


class MapAttention(ImageAttention):
    """All pixels attend to all; returns the projected mixture, without a residual.

    ViT, https://arxiv.org/abs/2010.11929, section 3.1 and appendix A, without the class token. It knows no positions:
    permuting the pixels permutes the output.

    Args:
        dim: channel width D; a multiple of `num_heads`.
        num_heads: number of heads; D / 64 by default.
        parts: what the layers are made of.
    """

    sees, cost, paper = "the map", "N^2 C", "ViT 2010.11929"
    role = Role("attn.", ("attn.proj",), optional=True)

    def __init__(self, dim: int, num_heads: int | None = None, *, parts: Parts = VIT) -> None:
        super().__init__()
        self.dim = dim
        self.attn = SelfAttention(dim, num_heads, parts=parts)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, D, H, W)` -> `(B, D, H, W)`."""
        pixels = x.flatten(2).transpose(1, 2)  # (B, N, D)
        return self.attn(pixels).transpose(1, 2).unflatten(2, x.shape[2:])

    def macs(self, height: int, width: int) -> Macs:
        """`4 N D^2 + 2 N^2 D` with N = H W: quadratic in the pixels."""
        return self_attention_macs(1, height * width, self.dim)
