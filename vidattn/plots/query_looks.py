"""Where queries looked: a row of frames for each, under heat or with the points that it took."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from vidattn.plots.attention_maps import COLOURS, MAX_COLUMNS, overlay
from vidattn.plots.fonts import as_written


class LookRow(NamedTuple):
    """What one query looked at.

    Args:
        name: written beside the row.
        boxes: frame -> x1, y1, x2, y2 in fractions of the picture.
        shares: `(T, h, w)`, what each place of each frame counts; all sum to 1. None where points are drawn.
        points: `(n, 3)`, x and y in fractions of the picture, and the number of a frame; None where heat is drawn.
        weights: `(n,)`, what each point counts; they sum to 1.
    """

    name: str
    boxes: Mapping[int, np.ndarray]
    shares: np.ndarray | None = None
    points: np.ndarray | None = None
    weights: np.ndarray | None = None


def plot_query_looks(
    frames: np.ndarray, rows: Sequence[LookRow], names: Sequence[str], title: str, proportion: float = 1.0
) -> Figure:
    """A row of frames for each query; below each frame, the share of what was looked at that lies in it.

    Args:
        frames: uint8 `(T, H, W, 3)`; of more than 16, evenly spaced ones are drawn.
        rows: queries.
        names: `(T,)`, above the frames.
        title: above all.
        proportion: width by height that the pictures are drawn with.
    """
    chosen = np.unique(np.linspace(0, len(frames) - 1, min(len(frames), MAX_COLUMNS)).round().astype(int))
    size = 1.25 * max(proportion, 0.6)
    figure = Figure(
        figsize=(size * len(chosen) + 0.6, (size / proportion + 0.35) * len(rows) + 0.6), layout="constrained"
    )
    figure.suptitle(title, fontsize=10)
    places = figure.subplots(len(rows), len(chosen), squeeze=False)
    for line, row in zip(places, rows, strict=True):
        pictures = (0.7 * frames).astype(np.uint8) if row.shares is None else overlay(frames, row.shares)
        for axes, frame in zip(line, chosen, strict=True):
            axes.imshow(pictures[frame], extent=(0, 1, 1, 0), aspect="auto")
            axes.set(xlim=(0, 1), ylim=(1, 0), xticks=[], yticks=[], box_aspect=1 / proportion)
            axes.spines[:].set_visible(False)
            if (box := row.boxes.get(int(frame))) is not None:
                x1, y1, x2, y2 = box
                axes.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, edgecolor="#3fe0ff", linewidth=1.2))
            axes.set_xlabel(f"{_share(row, int(frame)):.0%}", fontsize=7, labelpad=2)
        line[0].set_ylabel(row.name, fontsize=8)
        _dots(line, chosen.tolist(), row)
    for axes, frame in zip(places[0], chosen, strict=True):
        axes.set_title(names[frame], fontsize=7, pad=3)
    return as_written(figure)


def _dots(line: np.ndarray, chosen: Sequence[int], row: LookRow) -> None:
    """A dot for each point, the larger the more it counts."""
    if row.points is None or row.weights is None:
        return
    part = row.weights / max(float(row.weights.max()), 1e-30)
    order = np.argsort(part)  # the heaviest on top
    for axes, frame in zip(line, chosen, strict=True):
        here = order[row.points[order, 2].astype(int) == frame]
        colours = COLOURS(0.35 + 0.6 * part[here])
        x, y = row.points[here, 0], row.points[here, 1]
        axes.scatter(x, y, s=4 + 46 * part[here], c=colours, edgecolors="black", linewidths=0.4, zorder=3)


def _share(row: LookRow, frame: int) -> float:
    if row.shares is not None:
        return float(row.shares[frame].sum())
    assert row.points is not None
    assert row.weights is not None
    return float(row.weights[row.points[:, 2].astype(int) == frame].sum())
