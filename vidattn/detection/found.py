"""What was found in a frame, and what is there: the two sides that every score compares."""

from typing import NamedTuple

import numpy as np


class FrameBoxes(NamedTuple):
    """What was found in one frame.

    Args:
        video: the file's path, or any other name that `FrameTruth` has as well.
        frame: number within the file.
        boxes: float `(N, 4)`: x1, y1, x2, y2 in fractions of the picture.
        scores: float `(N, C)`: of each class, the larger the surer.
    """

    video: str
    frame: int
    boxes: np.ndarray
    scores: np.ndarray


class FrameTruth(NamedTuple):
    """Who is in one frame, and what they do there.

    Args:
        video: the file's path.
        frame: number within the file.
        boxes: float `(P, 4)`, as in `FrameBoxes`.
        actions: `(P, C)`: 1 for each class of the person in this frame.
        persons: int `(P,)`: who is who across the frames of the video; None where the list does not say.
    """

    video: str
    frame: int
    boxes: np.ndarray
    actions: np.ndarray
    persons: np.ndarray | None = None
