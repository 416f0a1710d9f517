"""Accuracy against cost: which candidates no other beats in both."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

MARKERS = ["o", "s", "^", "D", "v", "P", "X", "<", ">", "*"]


class Point(NamedTuple):
    """One candidate.

    Attributes:
        cost: in whatever unit the axis says.
        accuracy: share of right answers, 0 to 1.
        spread: half the width of its confidence interval; 0 for none.
    """

    cost: float
    accuracy: float
    spread: float = 0.0


def plot_pareto(
    panels: Mapping[str, Mapping[str, Point]], xlabel: str, title: str, chance: Mapping[str, float] | None = None
) -> Figure:
    """A panel for each set: a named point with its interval for each candidate, and the front as a grey line.

    Args:
        panels: name of the set -> candidate -> its point.
        xlabel: what the cost is.
        title: above all panels.
        chance: name of the set -> accuracy of guessing, drawn as a dotted line.
    """
    figure = Figure(figsize=(max(5.2 * len(panels), 6.5), 4.6), layout="constrained")
    figure.suptitle(title)
    for axes, (name, points) in zip(np.atleast_1d(figure.subplots(1, len(panels))), panels.items(), strict=True):
        axes.set(xlabel=xlabel, ylabel="accuracy, %", title=name)
        axes.grid(alpha=0.3, linewidth=0.5)
        best = front(points)
        costs, scores = [points[one].cost for one in best], [100 * points[one].accuracy for one in best]
        axes.plot(costs, scores, color="0.6", linewidth=1, drawstyle="steps-post", zorder=1)
        for index, point in enumerate(points.values()):
            axes.errorbar(
                point.cost, 100 * point.accuracy, yerr=100 * point.spread or None, color=f"C{index % 10}",
                marker=MARKERS[index % len(MARKERS)], capsize=4, linestyle="none",
            )  # fmt: skip
        if chance and name in chance:
            axes.axhline(100 * chance[name], color="0.3", linestyle=":", linewidth=1)
            axes.annotate("chance", (0.99, 100 * chance[name]), (0, 3), xycoords=("axes fraction", "data"),
                          textcoords="offset points", ha="right", fontsize=8, color="0.3")  # fmt: skip
        axes.margins(x=0.25, y=0.1)
        bottom, top = axes.get_ylim()
        axes.set_ylim(max(bottom, -4), min(top, 104))  # an interval may reach past what accuracy can be
    figure.draw_without_rendering()  # lays the panels out: only now is it known how near two points are
    for axes, points in zip(figure.axes, panels.values(), strict=True):
        _name(axes, points)
    return figure


def _name(axes: Axes, points: Mapping[str, Point]) -> None:
    """Names beside the points, where they lie within the frame and over no other name and no point."""
    dot = axes.figure.dpi / 72  # a printer's point in pixels
    marks = axes.transData.transform([(point.cost, 100 * point.accuracy) for point in points.values()])
    taken = [Bbox.from_extents(x - 4 * dot, y - 4 * dot, x + 4 * dot, y + 4 * dot) for x, y in marks]
    frame = axes.get_window_extent()
    rows = sorted(range(-len(points), len(points) + 1), key=lambda row: (abs(row), row))
    places = [(side, 12 * row) for row in rows for side in ("left", "right")]
    colours = {candidate: f"C{index % 10}" for index, candidate in enumerate(points)}
    for candidate, point in sorted(points.items(), key=lambda item: -item[1].accuracy):
        name = axes.annotate(candidate, (point.cost, 100 * point.accuracy), (0, 0), textcoords="offset points",
                             va="center", fontsize=9, color=colours[candidate])  # fmt: skip
        for side, dy in places:
            name.set(ha=side, position=(8 if side == "left" else -8, dy))
            box = name.get_window_extent()
            inside = frame.x0 < box.x0 and box.x1 < frame.x1 and frame.y0 < box.y0 and box.y1 < frame.y1
            if inside and not any(box.overlaps(other) for other in taken):
                break
        taken.append(box)


def front(points: Mapping[str, Point]) -> list[str]:
    """The candidates that no other beats, cheapest first: each is more accurate than all that cost less.

    >>> front({"a": Point(1, 0.5), "b": Point(2, 0.4), "c": Point(3, 0.9)})
    ['a', 'c']
    """
    best: list[str] = []
    for name in sorted(points, key=lambda name: (points[name].cost, -points[name].accuracy)):
        if not best or points[name].accuracy > points[best[-1]].accuracy:
            best.append(name)
    return best
