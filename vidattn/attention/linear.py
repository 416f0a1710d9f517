"""Linear attention over the whole clip: joint attention with a feature map in the softmax's place."""

from torch import Tensor

from vidattn.attention.base import Role, VideoAttention
from vidattn.attention.heads import SelfAttention
from vidattn.attention.image.linear import linear_attend
from vidattn.attention.parts import VIT, Parts
from vidattn.grid import Grid
from vidattn.macs import Macs


class JointLinearAttention(VideoAttention):
    """All tokens of the clip, prefix included, attend to all, at a price linear in their number.

    Transformers are RNNs, https://arxiv.org/abs/2006.16236, section 3.2, equations 4 to 7, not causal:
    `phi(q) (sum phi(k) v^T) / (phi(q) sum phi(k))` with `phi(x) = elu(x) + 1`. The sums over keys are one
    `d x d` matrix and one vector per head, made once for all queries.

    Args:
        dim: token width D; a multiple of `num_heads`.
        num_heads: number of heads; D / 64 by default.
        parts: what the layers are made of.
    """

    needs_map = False
    needs_frames = False
    mixes_by_weights = True
    role = Role("attn.", ("attn.proj",))

    def __init__(self, dim: int, num_heads: int | None = None, *, parts: Parts = VIT) -> None:
        super().__init__()
        self.dim = dim
        self.attn = SelfAttention(dim, num_heads, parts=parts)

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """`(B, S, D)` -> `(B, S, D)`."""
        q, k, v = self.attn.project(x, grid).permute(2, 0, 3, 1, 4)
        return self.attn.proj(linear_attend(q, k, v).transpose(1, 2).flatten(2))

    def macs(self, grid: Grid) -> Macs:
        """`4 S D^2 + 2 S D d + S D` with head width `d = D / heads`."""
        tokens, head_dim = grid.num_tokens, self.dim // self.attn.num_heads
        return Macs(linear=4 * tokens * self.dim**2, attention=tokens * self.dim * (2 * head_dim + 1))
