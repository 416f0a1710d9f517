"""What the parts of a network cost: stacked bars."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

HATCHES = ["", "///", "...", "xx", "\\\\\\", "++"]
GREYS = ["0.85", "tab:blue", "tab:orange", "0.65", "tab:green", "0.3"]


def plot_cost_shares(
    panels: Mapping[str, Mapping[str, Mapping[str, float]]], xlabel: str, title: str, part: str
) -> Figure:
    """A panel for each clip, a bar for each candidate, stacked from its parts, with the share of one of them behind it.

    Parts differ in hatching too, so that a print without colour can be read.

    Args:
        panels: name of the clip -> candidate -> part -> cost.
        xlabel: what the cost is.
        title: above all panels.
        part: whose share of the whole is written behind each bar.
    """
    tallest = max(len(bars) for bars in panels.values())
    figure = Figure(figsize=(5.6 * len(panels), 1.9 + 0.42 * tallest), layout="constrained")
    figure.suptitle(title)
    for axes, (name, bars) in zip(np.atleast_1d(figure.subplots(1, len(panels))), panels.items(), strict=True):
        names = [one for one in next(iter(bars.values())) if any(costs[one] for costs in bars.values())]
        left = np.zeros(len(bars))
        for index, one in enumerate(names):
            widths = np.array([costs[one] for costs in bars.values()])
            axes.barh(
                list(bars), widths, left=left, label=one, color=GREYS[index % len(GREYS)], edgecolor="white",
                linewidth=0.5, hatch=HATCHES[index % len(HATCHES)],
            )  # fmt: skip
            left += widths
        for row, (costs, end) in enumerate(zip(bars.values(), left, strict=True)):
            axes.text(end, row, f" {costs[part] / sum(costs.values()):.0%}", va="center", fontsize=9)
        axes.set(title=name, xlabel=xlabel)
        axes.set_ylim(len(bars) - 0.4, -0.6)  # the first on top
        axes.set_xlim(0, 1.2 * np.max(left))  # room for the shares
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=6, fontsize=8)
    return figure
