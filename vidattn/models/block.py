"""One transformer block: attention steps, then the MLP, each normed before and added after."""

from collections.abc import Sequence

from torch import Tensor, nn
from torchvision.ops import StochasticDepth

from vidattn.attention.base import VideoAttention
from vidattn.attention.parts import VIT, Parts
from vidattn.grid import Grid
from vidattn.macs import Macs
from vidattn.models.layers import Activation, Mlp, gelu


class Block(nn.Module):
    """`x = x + step(norm(x))` for each step, then `x = x + mlp(norm(x))`.

    Dropout and drop path act on each update. Drop path draws one mask per clip; TimeSformer's own code draws one per
    folded row (location or frame).

    Args:
        dim: token width D.
        steps: the attention steps, in order.
        mlp_ratio: hidden width of the MLP over D.
        dropout: probability of zeroing a component of an update.
        drop_path: probability of skipping an update for a clip.
        norm_eps: added to the variance in the norms.
        activation: the MLP's.
        parts: what norms and MLP are made of.
    """

    def __init__(
        self,
        dim: int,
        steps: Sequence[VideoAttention],
        mlp_ratio: float = 4.0,
        dropout: float = 0.0,
        drop_path: float = 0.0,
        norm_eps: float = 1e-6,
        activation: Activation = gelu,
        parts: Parts = VIT,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.norms = nn.ModuleList(parts.norm(dim, norm_eps) for _ in steps)
        self.steps = nn.ModuleList(steps)
        self.mlp_norm = parts.norm(dim, norm_eps)
        self.mlp = Mlp(dim, int(dim * mlp_ratio), activation, parts)
        self.drop = nn.Sequential(nn.Dropout(dropout), StochasticDepth(drop_path, mode="row"))

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """`(B, S, D)` -> `(B, S, D)`."""
        for norm, step in zip(self.norms, self.steps, strict=True):
            x = x + self.drop(step(norm(x), grid))
        return x + self.drop(self.mlp(self.mlp_norm(x)))

    def grid_after(self, grid: Grid) -> Grid:
        """How the tokens lie that leave: as they came."""
        return grid

    def macs(self, grid: Grid) -> Macs:
        """Cost of the steps and the MLP on one clip."""
        return sum((step.macs(grid) for step in self.steps), self.mlp.macs(grid.num_tokens))  # type: ignore[operator]

    def macs_of_call(self, inputs: tuple, output: Tensor) -> Macs:
        """Cost of a call of `forward` with these inputs, all clips of the batch."""
        tokens, grid = inputs
        return tokens.shape[0] * self.macs(grid)
