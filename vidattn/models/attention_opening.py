"""The first block of a stage of attention behind a mean over 2 x 2 tokens: CoAtNet's later stages."""

from torch import Tensor, nn
from torchvision.ops import StochasticDepth

from vidattn.attention.base import VideoAttention
from vidattn.attention.parts import Parts
from vidattn.grid import Grid
from vidattn.macs import Macs
from vidattn.models.convolution_block import halved
from vidattn.models.layers import Activation, Mlp


class AttentionOpening(nn.Module):
    """`x = expand(mean(x)) + step(mean(norm(x)))`, then `x = x + mlp(norm(x))`: half the rows and columns, wider.

    CoAtNet, https://arxiv.org/abs/2106.04803, section 2.2, where the means are of 2 x 2 tokens of a frame (the paper
    writes a pooling; timm's code takes the mean). There are no prefix tokens.

    Args:
        dim: token width before.
        out_dim: token width after.
        step: attention on the smaller map, from the one width to the other.
        mlp_ratio: hidden width of the MLP over the new width.
        dropout: probability of zeroing a component of an update.
        drop_path: probability of skipping an update for a clip.
        norm_eps: added to the variance in the norms.
        activation: the MLP's.
        parts: what norms and layers are made of.
    """

    def __init__(
        self,
        dim: int,
        out_dim: int,
        step: VideoAttention,
        mlp_ratio: float,
        dropout: float,
        drop_path: float,
        norm_eps: float,
        activation: Activation,
        parts: Parts,
    ) -> None:
        super().__init__()
        self.dim, self.out_dim = dim, out_dim
        self.norms = nn.ModuleList([parts.norm(dim, norm_eps)])
        self.steps = nn.ModuleList([step])
        self.expand = None if dim == out_dim else parts.linear(dim, out_dim)
        self.mlp_norm = parts.norm(out_dim, norm_eps)
        self.mlp = Mlp(out_dim, int(out_dim * mlp_ratio), activation, parts)
        self.drop = nn.Sequential(nn.Dropout(dropout), StochasticDepth(drop_path, mode="row"))

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """`(B, S, D)` on `grid` -> `(B, S', D')` on `grid_after(grid)`."""
        kept = halved(x, grid)
        kept = kept if self.expand is None else self.expand(kept)
        x = kept + self.drop(self.steps[0](halved(self.norms[0](x), grid), self.grid_after(grid)))
        return x + self.drop(self.mlp(self.mlp_norm(x)))

    def grid_after(self, grid: Grid) -> Grid:
        """Half the rows and columns."""
        return grid.with_sides(grid.frames, grid.height // 2, grid.width // 2)

    def macs(self, grid: Grid) -> Macs:
        """Cost of the step, the residual's new width and the MLP on one clip."""
        after = self.grid_after(grid)
        expand = 0 if self.expand is None else after.num_tokens * self.dim * self.out_dim
        return (
            self.steps[0].macs(after)  # type: ignore[operator]
            + Macs(linear=expand)
            + self.mlp.macs(after.num_tokens)
        )

    def macs_of_call(self, inputs: tuple, output: Tensor) -> Macs:
        """Cost of a call of `forward` with these inputs, all clips of the batch."""
        tokens, grid = inputs
        return tokens.shape[0] * self.macs(grid)
