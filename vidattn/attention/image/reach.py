"""What one pixel sees of a block: found by trying, not by definition."""

import copy

import torch
from torch import Tensor, nn

from vidattn.attention.base import ImageAttention


@torch.no_grad()
def reach(block: ImageAttention, dim: int, size: tuple[int, int], pixel: tuple[int, int]) -> Tensor:
    """Which pixels of a map of `size` can move the output at `pixel`: `(H, W)`, True or False.

    A random map is changed at one pixel after the other, and the outputs compared. Weights are random too, because
    some blocks start with a zero that hides everything; where the image itself chooses (deformable, graph), this is
    one example of it.

    >>> from vidattn.attention.image.axial import CrissCrossAttention
    >>> print(picture(reach(CrissCrossAttention(8), 8, (3, 5), (1, 1)), (1, 1)))
    . # . . .
    # o # # #
    . # . . .

    Args:
        block: the block; it is left as it is.
        dim: its channels.
        size: height and width of the map.
        pixel: row and column.
    """
    random = torch.Generator().manual_seed(0)
    block = copy.deepcopy(block).double().eval()
    x = torch.randn(1, dim, *size, dtype=torch.float64, generator=random)
    pixels = range(size[0] * size[1])
    changed = x.repeat(len(pixels), 1, 1, 1).flatten(2)
    changed[pixels, :, pixels] += torch.randn(dim, dtype=torch.float64, generator=random)
    changed, here = changed.unflatten(2, size), (..., *pixel)
    seen = torch.zeros(size, dtype=torch.bool)
    for _ in range(4):  # a gate whose only unit is off lets nothing through: draw again
        for parameter in block.parameters():
            nn.init.normal_(parameter, std=0.2, generator=random)
        moved = (block(changed)[here] - block(x)[here]).abs().amax(-1)
        seen |= (moved > 1e-12).view(size)
    return seen


def picture(seen: Tensor, pixel: tuple[int, int]) -> str:
    """`seen` as text: `o` for the pixel itself, `#` for what it sees."""
    marks = [["#" if mark else "." for mark in row] for row in seen.tolist()]
    marks[pixel[0]][pixel[1]] = "o"
    return "\n".join(" ".join(row) for row in marks)
