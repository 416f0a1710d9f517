"""One layer of a query decoder: queries look at each other, at the clip, and think."""

from torch import Tensor, nn

from vidattn.attention.heads import attend, heads_of
from vidattn.attention.parts import VIT, Parts
from vidattn.grid import Grid
from vidattn.macs import Macs
from vidattn.models.cross_attention import CrossAttention
from vidattn.models.layers import Mlp


class QueryLayer(nn.Module):
    """Self-attention among queries, cross-attention to a clip's tokens, MLP; each normed before and added after.

    DETR, https://arxiv.org/abs/2005.12872, appendix A.3, with its norms in front. Positions are added to what asks and
    is asked, not to values.

    Args:
        dim: width D.
        num_heads: heads of the self-attention.
        cross: looks at the clip.
        mlp_ratio: hidden width of the MLP over D.
        parts: what its layers are made of.
    """

    def __init__(
        self, dim: int, num_heads: int, cross: CrossAttention, mlp_ratio: float = 4.0, parts: Parts = VIT
    ) -> None:
        super().__init__()
        self.norms = nn.ModuleList(parts.norm(dim, 1e-5) for _ in range(3))
        self.among = AmongQueries(dim, num_heads, parts=parts)
        self.cross = cross
        self.mlp = Mlp(dim, int(dim * mlp_ratio), parts=parts)

    def forward(
        self, x: Tensor, position: Tensor, boxes: Tensor, times: Tensor, tokens: Tensor, bias: Tensor | None
    ) -> Tensor:
        """`(B, Q, D)` -> `(B, Q, D)`.

        Args:
            x: contents of the queries.
            position: of their boxes, `(B, Q, D)`.
            boxes: `(B, Q, K, 4)`.
            times: of the boxes, `(K,)`.
            tokens: `(B, T, h, w, D)`.
            bias: added to the scores among queries, `(B, 1, Q, Q)`; None where all see all.
        """
        first, second, third = self.norms
        x = x + self.among(first(x), position, bias)
        x = x + self.cross(second(x) + position, boxes, times, tokens)
        return x + self.mlp(third(x))

    def macs(self, queries: int, grid: Grid) -> Macs:
        """Cost on one clip with so many queries."""
        return self.among.macs(queries) + self.cross.macs(queries, grid) + self.mlp.macs(queries)


class AmongQueries(nn.Module):
    """Self-attention among queries, to whose scores, but not to what is mixed, positions are added.

    Args:
        dim: width D; a multiple of `num_heads`.
        num_heads: number of heads; D / 64 by default.
        parts: what its layers are made of.

    Raises:
        ValueError: `dim` is not a multiple of `num_heads`.
    """

    def __init__(self, dim: int, num_heads: int | None = None, *, parts: Parts = VIT) -> None:
        super().__init__()
        self.dim, self.num_heads = dim, heads_of(dim, num_heads)
        self.qk = parts.linear(dim, 2 * dim)
        self.v = parts.linear(dim, dim)
        self.proj = parts.linear(dim, dim)

    def forward(self, x: Tensor, position: Tensor, bias: Tensor | None = None) -> Tensor:
        """`(B, Q, D)` and their positions `(B, Q, D)` -> `(B, Q, D)`; `bias` is added to the scores."""
        q, k = self.qk(x + position).unflatten(-1, (2, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        v = self.v(x).unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
        return self.proj(attend(q, k, v, bias).transpose(1, 2).flatten(2))

    def macs(self, queries: int) -> Macs:
        """`4 Q D^2` in projections, `2 Q^2 D` in attention."""
        return Macs(linear=4 * queries * self.dim**2, attention=2 * queries**2 * self.dim)

    def macs_of_call(self, inputs: tuple, output: Tensor) -> Macs:
        """Cost of a call of `forward` with these inputs, all clips of the batch."""
        return output.shape[0] * self.macs(output.shape[1])
