"""Any 2D image attention block as a step of a video model."""

import torch
from einops import rearrange
from torch import Tensor, nn

from vidattn.attention.base import ImageAttention, Role, VideoAttention
from vidattn.grid import Grid
from vidattn.macs import Macs


class PerFrame(VideoAttention):
    """An image attention block, run on the map of each frame; prefix tokens get a zero update.

    The residual update is the block's `update`: its output, but of a block of the form `x + f(x)` (non-local,
    criss-cross, position encoding) only `f(x)`, as the network adds `x`. A gate `x * gate(x)` adds its gated map.

    Args:
        block: the image block; it is run on maps `(B*T, D, H, W)`.
    """

    moves_prefix = False

    def __init__(self, block: ImageAttention) -> None:
        super().__init__()
        self.block = block

    @property
    def role(self) -> Role:  # type: ignore[override]
        """What the block's weights mean, by the names that they have here."""
        role = self.block.role
        attention = None if role.attention is None else f"block.{role.attention}"
        return Role(attention, tuple(f"block.{output}" for output in role.outputs), role.optional)

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """`(B, S, D)` -> `(B, S, D)`."""
        prefix, video = grid.split(x)
        maps = self.block.update(rearrange(video, "b t h w d -> (b t) d h w"))
        video = rearrange(maps, "(b t) d h w -> b t h w d", t=grid.frames)
        return grid.join(torch.zeros_like(prefix), video)

    def macs(self, grid: Grid) -> Macs:
        """T times the block's cost on one frame."""
        return grid.frames * self.block.macs(grid.height, grid.width)


def step_name(step: nn.Module) -> str:
    """The class of a step; of an image block its own."""
    return type(step.block if isinstance(step, PerFrame) else step).__name__
