"""Boxes over time: the frames of a clip that are asked about, boxes by their centres, waves that say where they are."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from vidattn.checks import check_positive
from vidattn.mistakes import Mistake

EDGE = 1e-4  # the least that a box's numbers keep from 0 and 1, so that their logits are finite


def asked_frames(frames: int, asked: int) -> list[int]:
    """The frames of a clip that a box is wanted on, evenly spaced over it; of one frame alone the middle (key) frame.

    >>> asked_frames(8, 1), asked_frames(8, 4), asked_frames(3, 3)
    ([4], [1, 3, 5, 7], [0, 1, 2])

    Args:
        frames: of the clip, T.
        asked: K, how many of them.

    Raises:
        ValueError: there are fewer.
    """
    check_positive(asked=asked)
    if asked > frames:
        raise Mistake(f"boxes are asked on {asked} frames of a clip of {frames}; ask for {frames} or fewer")
    return [(2 * place + 1) * frames // (2 * asked) for place in range(asked)]


def asked_times(frames: int, asked: int, device: torch.device | None = None) -> Tensor:
    """When those frames are, `(K,)` float32: the middle of each in fractions of the clip.

    >>> asked_times(4, 2)
    tensor([0.3750, 0.8750])
    """
    return (torch.tensor(asked_frames(frames, asked), device=device).float() + 0.5) / frames


def to_centers(boxes: Tensor) -> Tensor:
    """Corners `(..., 4)` x1 y1 x2 y2 -> centre and size: x y w h."""
    low, high = boxes[..., :2], boxes[..., 2:]
    return torch.cat(((low + high) / 2, high - low), dim=-1)


def to_corners(boxes: Tensor) -> Tensor:
    """Centre and size `(..., 4)` x y w h -> corners: x1 y1 x2 y2."""
    middle, half = boxes[..., :2], boxes[..., 2:] / 2
    return torch.cat((middle - half, middle + half), dim=-1)


def logit(fractions: Tensor) -> Tensor:
    """What a sigmoid makes `fractions` of; of 0 and 1 what it makes nearly so."""
    return torch.logit(fractions, eps=EDGE)


def waves(fractions: Tensor, count: int) -> Tensor:
    """Sines and cosines of numbers from 0 to 1, `(..., n)` -> `(..., n * count)`.

    Half a wave over the whole range at first, then ever shorter ones, each the same factor below the last, down to a
    hundredth of it: positions as in DAB-DETR, https://arxiv.org/abs/2201.12329, section 4.2, whose lengths go by a
    temperature of 20.

    Args:
        fractions: positions, in float32.
        count: waves of each number; even.
    """
    half = count // 2
    steps = torch.arange(half, device=fractions.device, dtype=fractions.dtype) / max(half - 1, 1)
    angles = fractions[..., None] * math.pi * 100.0**steps
    return torch.cat((angles.sin(), angles.cos()), dim=-1).flatten(-2)


def spread_out(count: int) -> Tensor:
    """Centres `(count, 2)` from 0 to 1 that leave no part of a picture out: R2, a sequence of low discrepancy."""
    golden = 1.32471795724474602596  # the real root of x^3 = x + 1
    steps = torch.tensor((1 / golden, 1 / golden**2), dtype=torch.float64)
    return ((0.5 + torch.arange(1, count + 1, dtype=torch.float64)[:, None] * steps) % 1).float()


class Detections(NamedTuple):
    """What a decoder says of its queries, after each of its L layers.

    Args:
        boxes: `(L, B, Q, K, 4)`, centre and size in fractions of the picture, float32.
        logits: `(L, B, Q, C + 1)`, of C actions, then of nobody.
        shown: `(L, B, Q, K)`, logits of being there on each asked frame; None where one frame alone is asked about.
    """

    boxes: Tensor
    logits: Tensor
    shown: Tensor | None

    def queries(self, begin: int, end: int | None = None) -> "Detections":
        """Those of some of the queries."""
        part = slice(begin, end)
        shown = None if self.shown is None else self.shown[:, :, part]
        return Detections(self.boxes[:, :, part], self.logits[:, :, part], shown)

    def layer(self, index: int) -> "Detections":
        """Those of one layer, still with an axis of layers."""
        part = slice(index, index + 1 or None)
        return Detections(*(None if one is None else one[part] for one in self))  # type: ignore[arg-type]


def on_each_frame(found: Detections, scores: Tensor) -> tuple[Tensor, Tensor]:
    """Corners `(B, Q, K, 4)` and scores `(B, Q, K, C)` of the last layer; a score is less where a person is not shown.

    Args:
        found: of all layers.
        scores: of the last, `(B, Q, C)`.
    """
    boxes = to_corners(found.boxes[-1]).clamp(0, 1)
    each = scores[:, :, None].expand(-1, -1, boxes.shape[2], -1)
    return boxes, each if found.shown is None else each * found.shown[-1].sigmoid()[..., None]
