"""Boxes that a person detector has found, frame by frame, as the tubes that a decoder of actions takes."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from vidattn.detection.overlap import iou
from vidattn.mistakes import Mistake

Boxes = Mapping[int, ArrayLike] | Sequence[ArrayLike] | Callable[[int, np.ndarray], ArrayLike]
"""Boxes `(n, 4)`, x1 y1 x2 y2 in fractions of the picture: by the number of the frame; or of every frame in turn; or
what finds them, given a frame's number and its picture, uint8 `(S, S, 3)`."""

SAME = 0.3  # overlap from which a box may be the same person's as one some frames before


def boxes_on(boxes: Boxes, frame: int, picture: Tensor) -> np.ndarray:
    """The boxes of one frame, float32 `(n, 4)`.

    Args:
        boxes: as a user gives them.
        frame: number within the video.
        picture: uint8 `(3, S, S)`.

    Raises:
        Mistake: they are no boxes; the message names the frame and the next move.
    """
    if callable(boxes):
        found = boxes(frame, picture.permute(1, 2, 0).numpy())
    elif isinstance(boxes, Mapping):
        found = boxes.get(frame, ())
    elif frame < len(boxes):
        found = boxes[frame]
    else:
        raise Mistake(f"boxes of {len(boxes)} frames, and the video has a frame {frame}; give those of every frame")
    numbers = np.asarray(found, np.float32)
    table = numbers.reshape(-1, 4) if numbers.size % 4 == 0 else np.full((1, 4), np.nan)
    if not np.isfinite(table).all() or (table[:, 2:] <= table[:, :2]).any():
        raise Mistake(f"boxes of frame {frame}: {numbers.round(4).tolist()}; wanted rows of x1, y1, x2, y2")
    if table.size and (table.min() < -0.5 or table.max() > 1.5):
        raise Mistake(
            f"boxes of frame {frame} reach from {table.min():g} to {table.max():g}; wanted fractions of the picture: "
            "divide x by its width and y by its height"
        )
    return table.clip(0, 1)


def chained(found: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
    """Boxes of K frames as tubes: `(n, K, 4)`, and bool `(n, K)`, where each has a box of its own.

    From frame to frame boxes go to the tube whose last box they overlap most, so that overlaps are most in all; where a
    tube has none, the nearest in time stands.
    """
    tubes: list[dict[int, np.ndarray]] = []
    for place, boxes in enumerate(found):
        free = set(range(len(boxes)))
        if tubes and len(boxes):
            overlap = iou(np.stack([tube[max(tube)] for tube in tubes]), boxes)
            for tube, row in zip(*linear_sum_assignment(-overlap), strict=True):
                if overlap[tube, row] >= SAME:
                    tubes[tube][place] = boxes[row]
                    free.discard(int(row))
        tubes += [{place: boxes[row]} for row in sorted(free)]
    whole = torch.zeros(len(tubes), len(found), 4)
    own = torch.zeros(len(tubes), len(found), dtype=torch.bool)
    for number, tube in enumerate(tubes):
        for place in range(len(found)):
            nearest = min(tube, key=lambda known: (abs(known - place), known))
            whole[number, place] = torch.from_numpy(tube[nearest])
            own[number, place] = place in tube
    return whole, own
