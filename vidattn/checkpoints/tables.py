"""Tables of positions for another map or another number of frames."""

import torch
import torch.nn.functional as F
from torch import Tensor


def resized_map(table: Tensor, old: tuple[int, int], new: tuple[int, int]) -> Tensor:
    """A position table `(1, P + N, D)` for another map, bicubic; the prefix's vectors stay."""
    prefix = table.shape[1] - old[0] * old[1]
    grid = table[:, prefix:].unflatten(1, old).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, new, mode="bicubic", align_corners=False)
    return torch.cat((table[:, :prefix], grid.flatten(2).mT), dim=1)


def resized_map_as_official(table: Tensor, old: tuple[int, int], new: tuple[int, int]) -> Tensor:
    """The same as TimeSformer's code does while loading: nearest, over the rows of the map one behind another.

    https://github.com/facebookresearch/TimeSformer, a5ef29a, `helpers.py`, `load_pretrained`. From 14 x 14 to 28 x 28
    only 7% of the vectors come from the place that they now stand for; its published high-resolution models learned
    from there.
    """
    prefix = table.shape[1] - old[0] * old[1]
    grid = F.interpolate(table[:, prefix:].mT, new[0] * new[1], mode="nearest").mT
    return torch.cat((table[:, :prefix], grid), dim=1)


def resized_time(table: Tensor, frames: int) -> Tensor:
    """A time table `(1, T, D)` for another number of frames, linear."""
    return F.interpolate(table.mT, frames, mode="linear", align_corners=False).mT


def resized_time_as_official(table: Tensor, frames: int) -> Tensor:
    """The same as TimeSformer's code does while loading: the nearest frame's vector."""
    return F.interpolate(table.mT, frames, mode="nearest").mT
