"""What one token sees in each step of a scheme: found by trying, not by definition."""

import torch
from torch import Tensor, nn

from vidattn.attention.scheme import parse_scheme
from vidattn.grid import Grid
from vidattn.mistakes import Mistake

DIM, HEADS = 16, 2
"""Of the steps that are tried; how far a step sees does not depend on them."""


@torch.no_grad()
def step_reach(scheme: str, grid: Grid, token: tuple[int, int, int]) -> list[Tensor]:
    """For each step of the scheme's first block, which tokens can move its output at `token`: `(T, H, W)` of bool.

    Every token of a random video is changed in turn, and the outputs compared. Weights are random too, because some
    steps start with a zero that hides everything.

    >>> for seen in step_reach("time+width", Grid(2, 2, 3), (0, 0, 1)):
    ...     print(seen.int().tolist())
    [[[0, 1, 0], [0, 0, 0]], [[0, 1, 0], [0, 0, 0]]]
    [[[1, 1, 1], [0, 0, 0]], [[0, 0, 0], [0, 0, 0]]]

    Args:
        scheme: a spec, such as `time+space`.
        grid: frames, height and width of the video in tokens.
        token: frame, row and column.

    Raises:
        ValueError: the scheme cannot be read, or it is a factorised encoder, whose second stage has no places.
    """
    found = parse_scheme(scheme)
    if found.temporal_depth is not None:
        raise Mistake(f"{scheme!r} pools each frame before frames meet, so that no place sees another frame's")
    random = torch.Generator().manual_seed(0)
    video = torch.randn(1, grid.num_tokens, DIM, dtype=torch.float64, generator=random)
    place = grid.prefix + (token[0] * grid.height + token[1]) * grid.width + token[2]
    seen = []
    for step in found.steps:
        attention = step.build(DIM, HEADS).double().eval()
        for parameter in attention.parameters():
            nn.init.normal_(parameter, std=0.2, generator=random)
        before = attention(video, grid)[0, place]
        moved = torch.zeros(grid.num_tokens, dtype=torch.bool)
        for index in range(grid.num_tokens):
            changed = video.clone()
            changed[0, index] += torch.randn(DIM, dtype=torch.float64, generator=random)
            moved[index] = (attention(changed, grid)[0, place] - before).abs().max() > 1e-12
        seen.append(moved[grid.prefix :].view(grid.frames, grid.height, grid.width))
    return seen
