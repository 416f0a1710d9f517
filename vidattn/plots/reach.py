"""What one pixel of a map, or one token of a video, sees: as small pictures side by side."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

STEP_COLOURS = ("#2b6cb0", "#e07b39", "#4c9f70")
UNSEEN, ITSELF = "#e9ecef", "#c1121f"


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


def plot_steps(seen: Mapping[str, Sequence[np.ndarray]], token: tuple[int, int, int], columns: int = 2) -> Figure:
    """A strip of frames for each scheme: what one token of the video sees, in a colour for each step of a block.

    Args:
        seen: name -> for each step, at most three, `(T, H, W)`, True where a change moves the output at `token`.
        token: frame, row and column; red.
        columns: strips side by side.
    """
    shape = next(iter(seen.values()))[0].shape
    rows = -(-len(seen) // columns)
    height = 4.6 * shape[1] / (shape[0] * (shape[2] + 1)) + 0.32
    figure = Figure(figsize=(4.6 * columns, height * rows + 0.4))
    figure.set_layout_engine("constrained", wspace=0.08)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, (name, steps) in zip(grid.flat, seen.items(), strict=False):
        axes.set_title(name, fontsize=10, loc="left")
        axes.imshow(_strip(steps, token), interpolation="none")
    most = max(len(steps) for steps in seen.values())
    names = ["the token", *(f"seen in step {number}" for number in range(1, most + 1))]
    handles = [Patch(color=colour, label=name) for colour, name in zip((ITSELF, *STEP_COLOURS), names, strict=False)]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=9, frameon=False)
    return figure


def _strip(steps: Sequence[np.ndarray], token: tuple[int, int, int], cell: int = 12) -> np.ndarray:
    """The frames of a video side by side as a picture, each token a square."""
    colours = np.full((*steps[0].shape, 3), to_rgb(UNSEEN))
    for seen, colour in reversed([*zip(steps, STEP_COLOURS, strict=False)]):
        colours[np.asarray(seen)] = to_rgb(colour)
    colours[token] = to_rgb(ITSELF)
    squares = colours.repeat(cell, 1).repeat(cell, 2)
    squares[:, ::cell] = squares[:, :, ::cell] = 1
    gap = np.ones((squares.shape[1], cell, 3))
    return np.concatenate([part for frame in squares for part in (frame, gap)][:-1], axis=1)
