"""Joint attention whose scores cannot grow beyond a bound."""

from torch import Tensor

from vidattn.attention.base import Role, VideoAttention
from vidattn.attention.heads import Heads, self_attention_macs
from vidattn.attention.parts import VIT, Parts
from vidattn.checks import check_positive
from vidattn.grid import Grid
from vidattn.macs import Macs


class CappedAttention(VideoAttention, Heads):
    """All tokens attend to all, with scores `cap * tanh(score / cap)` in the softmax.

    VideoPrism's, https://arxiv.org/abs/2402.13217, in its code, after Gemma 2, https://arxiv.org/abs/2408.00118,
    section 2. Scores are made in memory: fused kernels know no cap.

    Args:
        dim: token width D; a multiple of `num_heads`.
        num_heads: number of heads; D / 64 by default.
        cap: bound of the scores, 50 in VideoPrism.
        parts: what the layers are made of.

    Raises:
        ValueError: `cap` is not positive, or `dim` is not a multiple of `num_heads`.
    """

    scores_tokens = True
    needs_map = False
    needs_frames = False
    mixes_by_weights = True
    role = Role("", ("proj",))

    def __init__(self, dim: int, num_heads: int | None = None, cap: int = 50, *, parts: Parts = VIT) -> None:
        check_positive(cap=cap)
        super().__init__(dim, num_heads, parts=parts)
        self.dim = dim
        self.cap = cap

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """`(B, S, D)` -> `(B, S, D)`."""
        q, k, v = self.project(x, grid).permute(2, 0, 3, 1, 4)
        scores = self.cap * ((q * (q.shape[-1] ** -0.5 / self.cap)) @ k.mT).tanh()
        return self.proj((scores.softmax(dim=-1) @ v).transpose(1, 2).flatten(2))

    def macs(self, grid: Grid) -> Macs:
        """`4 S D^2 + 2 S^2 D`."""
        return self_attention_macs(1, grid.num_tokens, self.dim)
