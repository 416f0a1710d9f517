"""What one pixel sees, as small pictures side by side."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure


def plot_reach(seen: Mapping[str, np.ndarray], pixel: tuple[int, int], columns: int = 7) -> Figure:
    """A square for each block: dark where the pixel sees, the pixel itself in red.

    Args:
        seen: name -> `(H, W)`, True where a change of that pixel moves the output at `pixel`.
        pixel: row and column.
        columns: pictures in a row.
    """
    rows = -(-len(seen) // columns)
    figure = Figure(figsize=(1.5 * columns, 1.75 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, (name, mask) in zip(grid.flat, seen.items(), strict=False):
        axes.set_axis_on()
        axes.set(xticks=[], yticks=[])
        axes.set_title(name, fontsize=8)
        axes.imshow(np.asarray(mask), cmap="Blues", vmin=0, vmax=1.4)
        axes.plot(pixel[1], pixel[0], "s", color="crimson", markersize=3)
    return figure
