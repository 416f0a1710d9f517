"""Blocks whose mixing is a convolution, with no MLP behind it, and the one that halves the map: CoAtNet's early
stages."""

from collections.abc import Sequence

import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn
from torchvision.ops import StochasticDepth

from vidattn.attention.base import VideoAttention
from vidattn.attention.image.mbconv_se import SqueezedMBConv
from vidattn.attention.parts import Parts
from vidattn.attention.per_frame import PerFrame
from vidattn.grid import Grid
from vidattn.macs import Macs


class ConvolutionBlock(nn.Module):
    """`x = x + step(x)` for steps that norm their input themselves, `x = x + step(norm(x))` for others; no MLP.

    Args:
        dim: token width D.
        steps: the steps, in order.
        dropout: probability of zeroing a component of an update.
        drop_path: probability of skipping an update for a clip.
        norm_eps: added to the variance in the norms.
        parts: what the norms are made of.
    """

    def __init__(
        self,
        dim: int,
        steps: Sequence[VideoAttention],
        dropout: float,
        drop_path: float,
        norm_eps: float,
        parts: Parts,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.norms = nn.ModuleList(nn.Identity() if stands_alone(step) else parts.norm(dim, norm_eps) for step in steps)
        self.steps = nn.ModuleList(steps)
        self.mlp = None
        self.drop = nn.Sequential(nn.Dropout(dropout), StochasticDepth(drop_path, mode="row"))

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """`(B, S, D)` -> `(B, S, D)`."""
        for norm, step in zip(self.norms, self.steps, strict=True):
            x = x + self.drop(step(norm(x), grid))
        return x

    def grid_after(self, grid: Grid) -> Grid:
        """How the tokens lie that leave: as they came."""
        return grid

    def macs(self, grid: Grid) -> Macs:
        """Cost of the steps on one clip."""
        return sum((step.macs(grid) for step in self.steps), Macs())  # type: ignore[operator]

    def macs_of_call(self, inputs: tuple, output: Tensor) -> Macs:
        """Cost of a call of `forward` with these inputs, all clips of the batch."""
        tokens, grid = inputs
        return tokens.shape[0] * self.macs(grid)


class ConvolutionOpening(nn.Module):
    """`x = expand(mean(x)) + mbconv(x)`: half the rows and columns, wider, by an MBConv of stride 2.

    CoAtNet, https://arxiv.org/abs/2106.04803, section 2.2: the residual is the mean of each 2 x 2 tokens of a frame,
    brought to the new width. There are no prefix tokens.

    Args:
        dim: token width before.
        out_dim: token width after.
        dropout: probability of zeroing a component of the update.
        drop_path: probability of skipping it for a clip.
    """

    def __init__(self, dim: int, out_dim: int, dropout: float, drop_path: float) -> None:
        super().__init__()
        self.dim, self.out_dim = dim, out_dim
        self.norms = nn.ModuleList([nn.Identity()])
        self.steps = nn.ModuleList([PerFrame(SqueezedMBConv(dim, out_dim=out_dim, stride=2))])
        self.expand = None if dim == out_dim else nn.Linear(dim, out_dim)
        self.mlp = None
        self.drop = nn.Sequential(nn.Dropout(dropout), StochasticDepth(drop_path, mode="row"))

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """`(B, S, D)` on `grid` -> `(B, S', D')` on `grid_after(grid)`."""
        kept = halved(x, grid)
        kept = kept if self.expand is None else self.expand(kept)
        return kept + self.drop(self.steps[0](x, grid))

    def grid_after(self, grid: Grid) -> Grid:
        """Half the rows and columns."""
        return grid.with_sides(grid.frames, grid.height // 2, grid.width // 2)

    def macs(self, grid: Grid) -> Macs:
        """Cost of the convolutions and of the residual's new width on one clip."""
        expand = 0 if self.expand is None else self.grid_after(grid).num_tokens * self.dim * self.out_dim
        return self.steps[0].macs(grid) + Macs(linear=expand)  # type: ignore[operator]

    def macs_of_call(self, inputs: tuple, output: Tensor) -> Macs:
        """Cost of a call of `forward` with these inputs, all clips of the batch."""
        tokens, grid = inputs
        return tokens.shape[0] * self.macs(grid)


def stands_alone(step: nn.Module) -> bool:
    """Whether a step is a whole block, which norms its input itself and which no MLP follows."""
    return bool(getattr(step.block if isinstance(step, PerFrame) else step, "stands_alone", False))


def halved(x: Tensor, grid: Grid) -> Tensor:
    """The mean of each 2 x 2 tokens of a frame, `(B, S, D)` -> `(B, S / 4, D)`; no prefix."""
    maps = rearrange(grid.split(x)[1], "b t h w d -> (b t) d h w")
    return rearrange(F.avg_pool2d(maps, 2), "(b t) d h w -> b (t h w) d", t=grid.frames)
