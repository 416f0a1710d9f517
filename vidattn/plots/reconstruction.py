"""What a pre-trained network paints: clips, what it saw of them, and what it made of that."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from vidattn.plots.fonts import as_written

MOST_FRAMES = 8  # side by side; of a longer clip evenly spaced ones
HIDDEN = 0.5  # grey level of what is hidden
_ROWS = ("clip", "seen", "painted")


def plot_reconstructions(clips: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]], title: str) -> Figure:
    """Three rows of frames for each clip: the clip, what was seen, and the clip with what was painted in the rest.

    Args:
        clips: of each the frames, what was painted, both `(T, H, W, 3)` from 0 to 1, and whether a pixel was seen,
            `(T, H, W)`.
        title: above all.
    """
    frames = len(clips[0][0])
    shown = np.unique(np.linspace(0, frames - 1, min(frames, MOST_FRAMES)).round().astype(int))
    height, width = clips[0][0].shape[1:3]
    size = (max(0.9 * len(shown) + 0.6, 4), 0.9 * len(_ROWS) * len(clips) * height / width + 0.4)
    figure = Figure(figsize=size, layout="constrained")
    figure.suptitle(title, fontsize=9)
    grid = figure.add_gridspec(len(_ROWS) * len(clips), len(shown))
    for number, (clip, painted, seen) in enumerate(clips):
        known = seen[..., None]
        rows = (clip, np.where(known, clip, HIDDEN), np.where(known, clip, painted.clip(0, 1)))
        for line, (name, pictures) in enumerate(zip(_ROWS, rows, strict=True)):
            for column, frame in enumerate(shown):
                axes = figure.add_subplot(grid[len(_ROWS) * number + line, column])
                axes.imshow(pictures[frame], vmin=0, vmax=1, interpolation="nearest")
                axes.set(xticks=[], yticks=[])
                axes.spines[:].set_visible(False)
                if not column:
                    axes.set_ylabel(name, fontsize=8)
    return as_written(figure)
