"""Heads whose tokens leave wider than they came: the attention at the border of two stages."""

from torch import Tensor, nn

from vidattn.attention.heads import Heads, SelfAttention, heads_of
from vidattn.attention.parts import VIT, Parts
from vidattn.grid import Grid


class WideningHeads(nn.Module):
    """The layers around heads, as `vidattn.attention.heads.Heads` has them, from one width to another.

    Args:
        dim: token width that comes.
        out_dim: token width that leaves, and of the heads together; a multiple of `num_heads`.
        num_heads: number of heads; `out_dim` / 64 by default.
        parts: what the layers are made of.

    Raises:
        ValueError: `out_dim` is not a multiple of `num_heads`.
    """

    def __init__(self, dim: int, out_dim: int, num_heads: int | None = None, *, parts: Parts = VIT) -> None:
        super().__init__()
        self.num_heads = heads_of(out_dim, num_heads)
        self.qkv = parts.linear(dim, 3 * out_dim)
        self.proj = parts.linear(out_dim, out_dim)

    def project(self, x: Tensor, row: Grid) -> Tensor:
        """Rows of n tokens `(G, n, D)` -> queries, keys and values by head, `(G, n, 3, heads, d)`."""
        return self.qkv(x).unflatten(-1, (3, self.num_heads, -1))


def heads_between(dim: int, out_dim: int | None, num_heads: int | None, parts: Parts) -> Heads | WideningHeads:
    """The layers around heads, from one width to another or to the same (None)."""
    if out_dim in (None, dim):
        return SelfAttention(dim, num_heads, parts=parts)
    assert out_dim is not None
    return WideningHeads(dim, out_dim, num_heads, parts=parts)
