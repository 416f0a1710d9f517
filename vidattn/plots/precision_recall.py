"""Precision against recall of each class."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from vidattn.plots.costs import STYLES
from vidattn.plots.fonts import as_written

_NAMED = 20  # classes that a legend can hold


def plot_precision_recall(
    curves: Mapping[str, tuple[np.ndarray, np.ndarray]], areas: Mapping[str, float], title: str
) -> Figure:
    """A line for each class from the surest answer on, the largest area first; the legend says the areas of up to 20.

    Args:
        curves: class -> recall `(n,)` and precision `(n,)`, 0 to 1; classes of which there is nothing to be found may
            be left out.
        areas: class -> average precision; nan where it has none, then no line is drawn.
        title: above the figure.
    """
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="recall", ylabel="precision", title=title)
    axes.grid(alpha=0.3, linewidth=0.5)
    drawn = sorted((name for name in curves if areas[name] == areas[name]), key=lambda name: -areas[name])
    for place, name in enumerate(drawn):
        recall, precision = curves[name]
        shown = " ".join(name.encode("utf-8", "backslashreplace").decode().split())
        label = f"{shown} {areas[name]:.1%}" if place < _NAMED else None
        style = STYLES[place // 10 % len(STYLES)]
        axes.plot(
            np.append(0, recall),
            np.append(1, precision),
            color=f"C{place % 10}",
            linestyle=style,
            linewidth=1,
            label=label,
        )
    if drawn:
        more = f"\nand {len(drawn) - _NAMED} more" if len(drawn) > _NAMED else ""
        axes.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.01, 1), title=f"average precision{more}")
    return as_written(figure)
