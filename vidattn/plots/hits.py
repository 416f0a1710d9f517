"""What was found for a video, as frames side by side."""

import textwrap
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from vidattn.plots.fonts import as_written

_COLUMNS = 5


class Hit(NamedTuple):
    """A video that was found.

    Args:
        frame: uint8 `(H, W, 3)`.
        name: written above it.
        cosine: how like it is; None for the video that was asked about.
    """

    frame: np.ndarray
    name: str
    cosine: float | None


def plot_hits(hits: Sequence[Hit]) -> Figure:
    """A frame of each, the one that was asked about first, in rows of five."""
    rows = -(-len(hits) // _COLUMNS)
    columns = min(_COLUMNS, len(hits))
    figure = Figure(figsize=(2.6 * columns, 2.5 * rows), layout="constrained")
    for place, axes in enumerate(figure.subplots(rows, columns, squeeze=False).flat):
        axes.set_axis_off()
        if place >= len(hits):
            continue
        frame, name, cosine = hits[place]
        axes.imshow(frame)
        said = "asked about" if cosine is None else f"{cosine:.3f}"
        shown = "\n".join(textwrap.wrap(" ".join(name.split()), 26, max_lines=2, placeholder="..."))
        axes.set_title(f"{shown}\n{said}", fontsize=8, parse_math=False)
    return as_written(figure)
