"""What the patch layer sees of a clip's pixels."""

from collections.abc import Callable

import torch
from torch import Tensor

from vidattn.attention.imported import named

Pixels = Callable[[Tensor], Tensor]
"""Normalised clips `(B, 3, T, H, W)` -> what is cut into patches, of the same shape."""

SCALE = 3.0
"""Differences are about a third of what the pixels themselves are, on clips 4 frames of a thirtieth second apart."""


def rgb(video: Tensor) -> Tensor:
    """The three colours as they are."""
    return video


def motion(video: Tensor) -> Tensor:
    """Brightness, and how much it differs from the frame before and from the frame behind.

    Differences of neighbouring frames in place of colours: TSN, https://arxiv.org/abs/1608.00859, section 3.1 (RGB
    difference). Their absolute values, times 3: a small network that has few clips to learn from finds what moves,
    where colours only let it learn places by heart. The first frame has none before it, the last none behind: zeros.
    With masks, a token that is seen hints in this way at the frame of a hidden neighbour in time.
    """
    bright = video.mean(1)
    moved = (bright[:, 1:] - bright[:, :-1]).abs() * SCALE
    still = torch.zeros_like(bright[:, :1])
    return torch.stack((bright, torch.cat((still, moved), 1), torch.cat((moved, still), 1)), 1)


PIXELS: dict[str, Pixels] = {"rgb": rgb, "motion": motion}


def pixels_named(name: str) -> Pixels:
    """The function of this name, or at this import path.

    Raises:
        ValueError: there is none.
    """
    return named(name, PIXELS, "pixels")
