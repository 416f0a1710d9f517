"""Multi-head self-attention, the primitive under most schemes, and the choice of its kernel."""

from abc import ABC

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidattn.attention.parts import VIT, Parts
from vidattn.grid import Grid
from vidattn.macs import Macs
from vidattn.mistakes import Mistake

# Keys up to which two products beat the fused kernel: on CUDA, on CPU in bf16 or fp16, and there otherwise in training.
SHORT_ON_CUDA, SHORT_IN_HALF, SHORT_IN_TRAINING = 16, 512, 64


def heads_of(dim: int, num_heads: int | None) -> int:
    """`num_heads`, or one for each 64 components where it is not given.

    Raises:
        ValueError: `dim` is not a multiple of it.
    """
    num_heads = num_heads or max(1, dim // 64)
    if dim % num_heads:
        raise Mistake(f"dim={dim} is not a multiple of num_heads={num_heads}")
    return num_heads


class Heads(nn.Module, ABC):
    """The layers around heads: queries, keys and values come out of `qkv`, what the heads make goes through `proj`.

    Args:
        dim: token width D; a multiple of `num_heads`.
        num_heads: number of heads; D / 64 by default.
        parts: what the layers are made of.

    Raises:
        ValueError: `dim` is not a multiple of `num_heads`.
    """

    def __init__(self, dim: int, num_heads: int | None = None, *, parts: Parts = VIT) -> None:
        super().__init__()
        self.num_heads = heads_of(dim, num_heads)
        self.qkv = parts.qkv(dim, parts.std)
        self.proj = parts.linear(dim, dim)
        head_dim = dim // self.num_heads
        self.query_key = nn.ModuleList(part(head_dim, parts.norm) for part in parts.query_key)

    def project(self, x: Tensor, row: Grid) -> Tensor:
        """Rows of n tokens `(G, n, D)` -> queries, keys and values by head, `(G, n, 3, heads, d)`.

        Args:
            x: the tokens.
            row: how the tokens of each row lie.
        """
        qkv = self.qkv(x).unflatten(-1, (3, self.num_heads, -1))
        if not self.query_key:
            return qkv
        q, k, v = qkv.unbind(2)
        return torch.stack((*self.prepare(q, k, row), v), dim=2)

    def prepare(self, q: Tensor, k: Tensor, row: Grid) -> tuple[Tensor, Tensor]:
        """Queries and keys `(G, n, heads, d)` as they enter the scores."""
        for part in self.query_key:
            q, k = part(q, k, row)
        return q, k


class SelfAttention(Heads):
    """Multi-head self-attention over the tokens of each row.

    Attention Is All You Need, https://arxiv.org/abs/1706.03762, section 3.2; as in ViT, biases everywhere.

    Args:
        dim: token width D; a multiple of `num_heads`.
        num_heads: number of heads; D / 64 by default.
        parts: what the layers are made of.

    Raises:
        ValueError: `dim` is not a multiple of `num_heads`.
    """

    def forward(self, x: Tensor, row: Grid | None = None) -> Tensor:
        """`(G, n, D)` -> `(G, n, D)`; `row` is the grid on which the tokens of a row lie, by default one line."""
        # One product, then q, k and v are strided views (G, heads, n, d): nothing is copied on the way in.
        q, k, v = self.project(x, row or Grid(1, 1, x.shape[1], 0)).permute(2, 0, 3, 1, 4)
        return self.proj(attend(q, k, v).transpose(1, 2).flatten(2))

    def across(self, x: Tensor) -> Tensor:
        """`(B, n, L, D)` -> the same shape: along axis 1, time, for each of the L locations on its own.

        Equal to moving the locations into the batch, without the copies that this takes: q, k and v come from a
        product each, so that locations and heads fold into one axis as a view.
        """
        size, length, locations, dim = x.shape
        x = x.contiguous()  # several clips without their prefixes are not: one copy here, or one in each product
        q, k, v = (
            part.reshape(size, length, locations * self.num_heads, dim // self.num_heads) for part in self._thirds(x)
        )
        q, k = self.prepare(q, k, Grid(length, 1, 1, 0))
        mixed = attend(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2))  # (B, L * heads, n, d)
        return self.proj(mixed.transpose(1, 2).reshape(x.shape))

    def _thirds(self, x: Tensor) -> tuple[Tensor, ...]:
        """Queries, keys and values `(..., D)` of `(..., D)`, by a product each; by one, where the layer is no plain
        linear one, as those of quantised networks, which have no weights that could be cut."""
        if not hasattr(self.qkv, "weight"):
            return self.qkv(x).chunk(3, dim=-1)
        biases = (None,) * 3 if self.qkv.bias is None else self.qkv.bias.chunk(3)
        return tuple(F.linear(x, *layer) for layer in zip(self.qkv.weight.chunk(3), biases, strict=True))


def self_attention_macs(groups: int, tokens: int, dim: int) -> Macs:
    """Cost of `SelfAttention` on `groups` rows of `tokens` tokens: `4GnD^2` in projections, `2Gn^2 D` in attention."""
    return Macs(linear=4 * groups * tokens * dim**2, attention=2 * groups * tokens**2 * dim)


def attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None) -> Tensor:
    """`softmax(q k^T / sqrt(d) + bias) v` over `(B, heads, n, d)`, by whichever kernel is faster here.

    Fused attention needs no `n x n` matrix. It loses to two batched products for short rows: on CUDA, whose tiles they
    do not fill, and on CPU where gradients are needed, and there in bf16 for longer ones too (measured: `vidattn
    bench-attention`). Two products round the scores of bf16 operands to bf16, as Hugging Face's models do.

    Args:
        q: queries.
        k: keys.
        v: values.
        bias: added to the scores, -inf where a query must not look; four axes, as the fused kernels take no other.
    """
    if bias is not None:
        bias = bias.to(q.dtype)
    fused = fused_pays(q, k) and not (bias is not None and bias_blocks_fused(bias))
    return F.scaled_dot_product_attention(q, k, v, attn_mask=bias) if fused else two_products(q, k, v, bias)


def two_products(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None) -> Tensor:
    """Attention with its `n x n` scores in memory."""
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)
    if bias is not None:
        scores = scores + bias
    return scores.softmax(dim=-1) @ v


def fused_pays(q: Tensor, k: Tensor) -> bool:
    """Whether the fused kernel is the faster one for these operands on this device."""
    keys, device = k.shape[-2], q.device.type
    if device == "cuda":
        return keys > SHORT_ON_CUDA
    if device == "cpu" and q.dtype in (torch.bfloat16, torch.float16):
        return keys > SHORT_IN_HALF
    return device != "cpu" or not torch.is_grad_enabled() or keys > SHORT_IN_TRAINING  # an export asks no length


def bias_blocks_fused(bias: Tensor) -> bool:
    """On CPU no fused kernel gives a bias its gradient, and two batched products beat PyTorch's own fallback."""
    return bias.device.type == "cpu" and bias.requires_grad and torch.is_grad_enabled()
