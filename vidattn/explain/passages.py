"""Where tokens came from that are fewer than those before: at the border of two stages."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidattn.explain.spread import replayed
from vidattn.grid import Grid
from vidattn.models.frame_patches import PatchEntry
from vidattn.models.opening_block import OpeningBlock
from vidattn.models.recorder import Visit
from vidattn.models.swin_parts import PatchMerging


def through_passage(passage: nn.Module, rows: Tensor, grid: Grid) -> Tensor:
    """Shares of the tokens behind `passage` -> of those before it, `(B, S') -> (B, S)`.

    Of patches that are merged each gets the same; where nothing lies between, the shares are the same. What prefix
    tokens that join there have comes from no token.

    Args:
        passage: what lies between two stages.
        rows: shares.
        grid: how the tokens before lie.
    """
    if not isinstance(passage, PatchMerging | PatchEntry):
        return rows
    rows = rows[:, passage.joining :] if isinstance(passage, PatchEntry) else rows
    numbers = torch.ones(len(rows), grid.num_tokens, device=rows.device, requires_grad=True)
    with torch.enable_grad():
        merged = averaged(numbers, grid, (1, 2, 2), (1, 2, 2), ceil_mode=True)
    return torch.autograd.grad(merged, numbers, rows)[0]


def through_opening(
    block: OpeningBlock, visit: Visit, rows: Tensor, own: Tensor, normalised: bool
) -> tuple[Tensor, Tensor]:
    """Shares of the tokens that a block made fewer -> of those that it was given: by its attention weights and its
    residual, of which each token that the maximum is taken of gets the same; and by its residual alone.

    Args:
        block: the first block of a stage.
        visit: of its step.
        rows: shares.
        own: shares by residuals alone.
        normalised: both ways together pass on as much as came.
    """
    grid, pool = visit.args[1], block.pool
    numbers = torch.ones(len(rows), grid.num_tokens, device=rows.device, requires_grad=True)
    with torch.enable_grad():
        assert isinstance(pool, nn.MaxPool3d)
        kept = averaged(numbers, grid, pool.kernel_size, pool.stride, pool.padding, count_include_pad=False)
        passed = kept + replayed(block.steps[0], visit, numbers)  # type: ignore[arg-type]
    if normalised:
        rows = rows / passed.detach()
    before = torch.autograd.grad(passed, numbers, rows, retain_graph=True)[0]
    return before, torch.autograd.grad(kept, numbers, own)[0]


def averaged(numbers: Tensor, grid: Grid, *arguments: Any, **settings: Any) -> Tensor:
    """Numbers of tokens, `(B, S)` -> means over boxes of them, those of the prefix as they are."""
    prefix, video = grid.split(numbers[..., None])
    means = F.avg_pool3d(video.movedim(-1, 1), *arguments, **settings).flatten(1)
    return torch.cat((prefix[..., 0], means), dim=1)
