"""Turn a decoded picture upright, as the video's display matrix says (phones film sideways and note it)."""

import math
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter


def display_matrix(frame: VideoFrame) -> tuple[int, int, int, int] | None:
    """`(a, b, c, d)` of the frame's display matrix, or None where there is none or it is the identity.

    A pixel at `(x, y)` is shown at `(a x + c y, b x + d y)`, apart from a shift: libavutil, display.h.
    """
    # Asking a frame for its side data ties both into a cycle, which keeps the picture until Python's garbage collector
    # comes: ask a copy of 2 x 2 pixels, which carries the same data.
    small = VideoReformatter().reformat(frame, width=2, height=2, format="gray", interpolation="POINT", threads=1)
    try:
        by_type: Mapping[Any, Any] = small.side_data  # PyAV 18's stubs call it a dict of one known name
    except ValueError:  # the frame carries data of a kind that FFmpeg has learnt since, as of a camera with two lenses
        return _turn(frame.rotation)
    data = by_type.get(Type.DISPLAYMATRIX)
    if data is None:
        return None
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(data)[:36])
    return None if a > 0 and d > 0 and b == c == 0 else (a, b, c, d)


def _turn(degrees: int) -> tuple[int, int, int, int] | None:
    """The matrix of a turn counterclockwise, to the nearest quarter; it has no mirrors.

    >>> _turn(-90), _turn(0)
    ((0, 1, -1, 0), None)
    """
    cos, sin = round(math.cos(math.radians(degrees))), round(math.sin(math.radians(degrees)))
    return None if (cos, sin) == (1, 0) else (cos, -sin, sin, cos)


def is_quarter_turn(matrix: tuple[int, int, int, int]) -> bool:
    """Whether width becomes height."""
    a, b, c, d = matrix
    return abs(b) + abs(c) > abs(a) + abs(d)


def upright(image: np.ndarray, matrix: tuple[int, int, int, int] | None) -> np.ndarray:
    """`(H, W, 3)` -> the picture as it is shown, a view; quarter turns and mirrors, other angles go to the nearest.

    >>> quarter_turn_clockwise = (0, 1, -1, 0)
    >>> upright(np.array([[[1], [2]]]), quarter_turn_clockwise)[..., 0].tolist()
    [[1], [2]]
    """
    if matrix is None:
        return image
    a, b, c, d = matrix
    if is_quarter_turn(matrix):
        image, across, down = image.swapaxes(0, 1), c, b
    else:
        across, down = a, d
    if across < 0:
        image = image[:, ::-1]
    return image[::-1] if down < 0 else image
