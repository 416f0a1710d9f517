"""Accuracy over several seeds: each run, the mean and its confidence interval."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure


class Line(NamedTuple):
    """What one candidate reached.

    Attributes:
        scores: accuracy of each run, 0 to 1.
        spread: half the width of the mean's confidence interval; 0 for none.
    """

    scores: Sequence[float]
    spread: float = 0.0


def plot_seeds(panels: Mapping[str, Mapping[str, Line]], title: str, chance: Mapping[str, float]) -> Figure:
    """A panel for each set, a line for each candidate: a ring for each run, the mean as a square with its interval.

    Args:
        panels: name of the set -> candidate, as it shall be written -> its line.
        title: above all panels.
        chance: name of the set -> accuracy of guessing, drawn as a dotted line.
    """
    tallest = max(len(lines) for lines in panels.values())
    figure = Figure(figsize=(max(4.8 * len(panels), 6.5), 1.6 + 0.45 * tallest), layout="constrained")
    figure.suptitle(title)
    for axes, (name, lines) in zip(np.atleast_1d(figure.subplots(1, len(panels))), panels.items(), strict=True):
        for row, line in enumerate(lines.values()):
            scores = 100 * np.asarray(line.scores)
            axes.plot(scores, [row] * len(scores), "o", markersize=8, markerfacecolor="none", color="0.5")
            axes.errorbar(scores.mean(), row, xerr=100 * line.spread or None, marker="s", color="tab:blue", capsize=4)
        axes.axvline(100 * chance[name], color="0.3", linestyle=":", linewidth=1)
        axes.annotate("chance", (100 * chance[name], 1), (3, -3), xycoords=("data", "axes fraction"),
                      textcoords="offset points", va="top", fontsize=8, color="0.3")  # fmt: skip
        axes.set(title=name, xlabel="accuracy, %", xlim=(0, 104), ylim=(len(lines) - 0.4, -0.8))
        axes.set_yticks(range(len(lines)), list(lines))
        axes.grid(alpha=0.3, linewidth=0.5, axis="x")
    return figure
