"""Accuracy against the number of labelled videos."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure


def plot_learning_curve(curves: Mapping[str, Mapping[str, Sequence[float]]], title: str, chance: float) -> Figure:
    """A line for each kind of probe: a ring for each draw, the mean, and one standard deviation of the draws shaded.

    Args:
        curves: kind -> number of labelled videos a class, as it shall be written -> accuracy of each draw, 0 to 1.
        title: above all.
        chance: accuracy of guessing, drawn as a dotted line.
    """
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.subplots()
    ticks = list(dict.fromkeys(name for curve in curves.values() for name in curve))
    for number, (kind, curve) in enumerate(curves.items()):
        colour = f"C{number}"
        places = [ticks.index(name) for name in curve]
        means = np.array([100 * np.mean(scores) for scores in curve.values()])
        spreads = np.array([100 * np.std(scores, ddof=1) if len(scores) > 1 else 0.0 for scores in curve.values()])
        axes.plot(places, means, color=colour, marker="s", label=kind)
        axes.fill_between(places, means - spreads, means + spreads, color=colour, alpha=0.15, linewidth=0)
        for place, scores in zip(places, curve.values(), strict=True):
            axes.plot(
                [place] * len(scores),
                100 * np.asarray(scores),
                "o",
                markersize=6,
                markerfacecolor="none",
                color=colour,
                alpha=0.6,
            )
    axes.axhline(100 * chance, color="0.3", linestyle=":", linewidth=1, label="chance")
    axes.set(title=title, xlabel="labelled videos of each class", ylabel="test top-1, %")
    axes.set_ylim(bottom=0)
    axes.set_xticks(range(len(ticks)), ticks)
    axes.grid(alpha=0.3, linewidth=0.5)
    axes.legend(frameon=False)
    return figure
