"""Costs against the size of the input as lines on logarithmic axes."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator

STYLES = ["-", "--", "-.", ":"]
MOST_NAMES = 10
"""More than fit beside the ends of their lines have a legend below."""


def plot_costs(
    panels: Mapping[str, Mapping[str, Mapping[int, float]]],
    xlabel: str,
    title: str,
    highlight: Sequence[str],
    marks: Mapping[str, tuple[int, str]] | None = None,
) -> Figure:
    """A panel for each kind of cost, a line for each candidate, the chosen ones with their name at the end, or in a
    legend below where they are many.

    Args:
        panels: name of the cost with its unit -> candidate -> size -> cost. Sizes may be missing.
        xlabel: what the sizes are.
        title: above all panels.
        highlight: candidates with colour and name; the others are thin and grey.
        marks: name of the cost -> a size that is marked, and what is said of it.
    """
    figure = Figure(figsize=(5.2 * len(panels), 5.4), layout="constrained")
    figure.suptitle(title)
    styles = {name: _style(index) for index, name in enumerate(highlight)}
    beside = len(styles) <= MOST_NAMES
    if not beside:
        handles = [Line2D([], [], label=name, **style) for name, style in styles.items()]  # type: ignore[arg-type]
        columns = max(1, int(62 * len(panels) / (10 + max(map(len, styles)))))
        figure.set_figheight(5.4 + 0.2 * -(-len(styles) // columns))
        figure.legend(handles=handles, loc="outside lower center", ncols=columns, fontsize=8, handlelength=3.5)
    for axes, (ylabel, lines) in zip(np.atleast_1d(figure.subplots(1, len(panels))), panels.items(), strict=True):
        axes.set(xscale="log", yscale="log", xlabel=xlabel, ylabel=ylabel)
        sizes = sorted({size for points in lines.values() for size in points})
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axes.minorticks_off()
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))  # numbers also where costs are within a decade
        axes.yaxis.set_major_formatter("{x:,g}")
        axes.grid(alpha=0.3, linewidth=0.5)
        for points in (points for name, points in lines.items() if name not in highlight):
            axes.plot(list(points), list(points.values()), color="0.8", linewidth=0.8, zorder=1)
        shown = {name: lines[name] for name in styles if lines.get(name)}
        for name, points in shown.items():
            axes.plot(list(points), list(points.values()), **styles[name])
        axes.set_xlim(sizes[0] * 0.9, sizes[-1] / 0.9)
        if beside and shown:
            _label(axes, shown, {name: str(styles[name]["color"]) for name in shown})
        if marks and ylabel in marks:
            _mark(axes, *marks[ylabel])
    return figure


def _mark(axes: Axes, size: int, text: str) -> None:
    """A dotted line at a size, and its text at the lower end, on the side that has more room."""
    left, right = np.log10(axes.get_xlim())
    early = np.log10(size) < (left + right) / 2
    axes.axvline(size, color="0.3", linestyle=":", linewidth=1, zorder=0)
    axes.annotate(text, (size, 0), (5 if early else -5, 6), xycoords=("data", "axes fraction"),
                  textcoords="offset points", ha="left" if early else "right", fontsize=9, color="0.2")  # fmt: skip


def _style(index: int) -> dict[str, str | float]:
    """Colour and dashes of a line, which no other of the first forty has."""
    dashes = STYLES[(index + index // 20) % len(STYLES)]
    return {"color": f"C{index % 10}", "linestyle": dashes, "marker": "o", "markersize": 3}


def _label(axes: Axes, lines: Mapping[str, Mapping[int, float]], colours: Mapping[str, str]) -> None:
    """Names right of the lines' ends, moved apart where they would overlap, and room for them. Others go on right of a
    line that ends earlier, mostly because it was too dear: its name stands above, on the left."""
    low, high = np.log10(axes.get_ylim())
    gap = (high - low) / 26
    ends = sorted((max(points), list(points.values())[-1], name) for name, points in lines.items())
    top, last, at = high, 0, -np.inf
    for size, value, name in ends:
        at = max(float(np.log10(value)), at + gap if size == last else -np.inf)
        top, last = max(top, at + gap), size
        early = size < ends[-1][0]
        axes.annotate(
            name, (size, 10**at), (-3, 3) if early else (7, 0), textcoords="offset points", color=colours[name],
            fontsize=8, ha="right" if early else "left", va="bottom" if early else "center",
        )  # fmt: skip
    axes.set_ylim(top=10**top)  # the topmost may have been moved up
    left, right = axes.get_xlim()
    share = min(0.6, 0.05 + 0.0165 * max(map(len, lines)))  # of the panel's width that the longest name takes
    axes.set_xlim(right=right * (right / left) ** (share / (1 - share)))
