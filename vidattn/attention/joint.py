"""Joint space-time attention: every token sees every token."""

from torch import Tensor

from vidattn.attention.base import KeptRows, Role, RowMaps, VideoAttention
from vidattn.attention.heads import SelfAttention, self_attention_macs
from vidattn.attention.parts import VIT, Parts
from vidattn.grid import Grid
from vidattn.macs import Macs


class JointAttention(VideoAttention):
    """All tokens of the clip, prefix included, attend to all.

    "ST" of TimeSformer, https://arxiv.org/abs/2102.05095, section 3; ViViT's model 1, https://arxiv.org/abs/2103.15691.

    Args:
        dim: token width D; a multiple of `num_heads`.
        num_heads: number of heads; D / 64 by default.
        parts: what the layers are made of.
    """

    scores_tokens = True
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
        return self.attn(x, grid)

    def macs(self, grid: Grid) -> Macs:
        """`4 S D^2 + 2 S^2 D`."""
        return self_attention_macs(1, grid.num_tokens, self.dim)

    def kept_rows(self, grid: Grid, runs: int) -> KeptRows:
        """The stream as it is."""
        return KeptRows(grid.num_tokens, grid.num_tokens)

    def row_maps(self, weights: Tensor, grid: Grid) -> RowMaps:
        """One row, the clip."""
        return RowMaps(weights.mean(1, keepdim=True), Grid(1, 1, 1, 0), grid)
