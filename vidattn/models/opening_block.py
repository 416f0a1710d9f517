"""The first block of a stage, whose attention makes tokens fewer and wider: MViT's and Hiera's transitions."""

from torch import Tensor, nn
from torchvision.ops import StochasticDepth

from vidattn.attention.multiscale import MultiscaleAttention
from vidattn.attention.parts import Parts
from vidattn.attention.unit import UnitAttention
from vidattn.grid import Grid
from vidattn.macs import Macs
from vidattn.models.layers import Activation, Mlp

Opening = MultiscaleAttention | UnitAttention


class OpeningBlock(nn.Module):
    """`x = pool(project(norm(x))) + step(norm(x))`, then `x = x + mlp(norm(x))`.

    MViTv2, https://arxiv.org/abs/2112.01526, section 4.2; Hiera, https://arxiv.org/abs/2306.00989. `project` takes the
    residual to the new width; where the widths are the same, it is pooled as it is. Prefix tokens are not pooled.

    Args:
        step: attention with pooled queries; says both widths.
        pool: of the residual, `(B, C, T, H, W)`, to the map of the pooled queries.
        mlp_ratio: hidden width of the MLP over the new width.
        dropout: probability of zeroing a component of an update.
        drop_path: probability of skipping an update for a clip.
        norm_eps: added to the variance in the norms.
        activation: the MLP's.
        parts: what norms and layers are made of.
    """

    def __init__(
        self,
        step: Opening,
        pool: nn.Module,
        mlp_ratio: float,
        dropout: float,
        drop_path: float,
        norm_eps: float,
        activation: Activation,
        parts: Parts,
    ) -> None:
        super().__init__()
        self.dim, self.out_dim = step.dim, step.out_dim
        self.norms = nn.ModuleList([parts.norm(self.dim, norm_eps)])
        self.steps = nn.ModuleList([step])
        self.project = None if self.dim == self.out_dim else parts.linear(self.dim, self.out_dim)
        self.pool = pool
        self.mlp_norm = parts.norm(self.out_dim, norm_eps)
        self.mlp = Mlp(self.out_dim, int(self.out_dim * mlp_ratio), activation, parts)
        self.drop = nn.Sequential(nn.Dropout(dropout), StochasticDepth(drop_path, mode="row"))

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """`(B, S, D)` on `grid` -> `(B, S', D')` on `grid_after(grid)`."""
        normed = self.norms[0](x)
        prefix, video = grid.split(x if self.project is None else self.project(normed))
        video = self.pool(video.movedim(-1, 1)).movedim(1, -1)
        x = self.grid_after(grid).join(prefix, video) + self.drop(self.steps[0](normed, grid))
        return x + self.drop(self.mlp(self.mlp_norm(x)))

    def grid_after(self, grid: Grid) -> Grid:
        """How the tokens lie that leave."""
        return self.steps[0].grid_after(grid)  # type: ignore[operator]

    def macs(self, grid: Grid) -> Macs:
        """Cost of the step, the projection of the residual and the MLP on one clip."""
        project = 0 if self.project is None else grid.num_tokens * self.dim * self.out_dim
        return (
            self.steps[0].macs(grid)  # type: ignore[operator]
            + Macs(linear=project)
            + self.mlp.macs(self.grid_after(grid).num_tokens)
        )

    def macs_of_call(self, inputs: tuple, output: Tensor) -> Macs:
        """Cost of a call of `forward` with these inputs, all clips of the batch."""
        tokens, grid = inputs
        return tokens.shape[0] * self.macs(grid)
