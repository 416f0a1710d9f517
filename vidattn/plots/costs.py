"""Costs against the size of the input as lines on logarithmic axes."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

STYLES = ["-", "--", "-.", ":"]


def plot_costs(
    panels: Mapping[str, Mapping[str, Mapping[int, float]]], xlabel: str, title: str, highlight: Sequence[str]
) -> Figure:
    """A panel for each kind of cost, a line for each candidate, the chosen ones with their name at the end.

    Args:
        panels: name of the cost with its unit -> candidate -> size -> cost. Sizes may be missing.
        xlabel: what the sizes are.
        title: above all panels.
        highlight: candidates with colour and name; the others are thin and grey.
    """
    figure = Figure(figsize=(5.2 * len(panels), 5.4), layout="constrained")
    figure.suptitle(title)
    for axes, (ylabel, lines) in zip(np.atleast_1d(figure.subplots(1, len(panels))), panels.items(), strict=True):
        axes.set(xscale="log", yscale="log", xlabel=xlabel, ylabel=ylabel)
        sizes = sorted({size for points in lines.values() for size in points})
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axes.minorticks_off()
        axes.grid(alpha=0.3, linewidth=0.5)
        for points in (points for name, points in lines.items() if name not in highlight):
            axes.plot(list(points), list(points.values()), color="0.8", linewidth=0.8, zorder=1)
        ends = []
        for index, name in enumerate(name for name in highlight if lines.get(name)):
            points = lines[name]
            (line,) = axes.plot(
                list(points), list(points.values()), marker="o", markersize=3, color=f"C{index % 10}",
                linestyle=STYLES[index % len(STYLES)],
            )  # fmt: skip
            ends.append((max(points), list(points.values())[-1], name, str(line.get_color())))
        axes.set_xlim(sizes[0] * 0.9, sizes[-1] * max(1.5, (sizes[-1] / sizes[0]) ** 0.5))  # room for the names
        _label(axes, ends)
    return figure


def _label(axes: Axes, ends: list[tuple[int, float, str, str]]) -> None:
    """Names right of the lines' ends, moved apart where they would overlap."""
    low, high = np.log10(axes.get_ylim())
    gap = (high - low) / 26
    for size in {end[0] for end in ends}:
        at = -np.inf
        for value, name, colour in sorted(end[1:] for end in ends if end[0] == size):
            at = max(float(np.log10(value)), at + gap)
            axes.annotate(name, (size * 1.15, 10**at), color=colour, fontsize=8, va="center")
    axes.set_ylim(top=10 ** (high + 2 * gap))  # the topmost may have been moved up
