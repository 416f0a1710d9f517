"""Frames with the boxes that are said to be in them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from vidattn.plots.fonts import as_written

_COLUMNS = 3


class BoxedFrame(NamedTuple):
    """A picture and what is in it.

    Args:
        picture: uint8 `(H, W, 3)`.
        name: written above it.
        boxes: `(P, 4)`: x1, y1, x2, y2 in fractions of the picture.
        labels: of each box what it is.
    """

    picture: np.ndarray
    name: str
    boxes: np.ndarray
    labels: Sequence[str]


def plot_boxed_frames(frames: Sequence[BoxedFrame]) -> Figure:
    """The pictures in rows of three, each box with its label; what lies outside a picture is drawn outside."""
    columns = min(_COLUMNS, max(len(frames), 1))
    rows = max(1, -(-len(frames) // columns))
    figure = Figure(figsize=(4 * columns, 3.4 * rows), layout="constrained")
    for place, axes in enumerate(figure.subplots(rows, columns, squeeze=False).flat):
        axes.set_axis_off()
        if place >= len(frames):
            continue
        picture, name, boxes, labels = frames[place]
        height, width = picture.shape[:2]
        axes.imshow(picture)
        axes.set_title(name[-50:], fontsize=8)
        for number, (box, label) in enumerate(zip(boxes, labels, strict=True)):
            x1, y1, x2, y2 = np.asarray(box, float) * [width, height, width, height]
            colour = f"C{number % 10}"
            axes.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, edgecolor=colour, linewidth=1.5))
            shown = " ".join(label.encode("utf-8", "backslashreplace").decode().split())
            ground = {"facecolor": colour, "edgecolor": "none", "pad": 1, "alpha": 0.8}
            axes.text(x1, y1, shown, color="white", fontsize=7, verticalalignment="bottom", bbox=ground, clip_on=True)
    return as_written(figure)
