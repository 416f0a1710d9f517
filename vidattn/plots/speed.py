"""Measured time against counted work: what is above the line of the matrix-multiply peak is not arithmetic."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from vidattn.plots.costs import STYLES
from vidattn.plots.pareto import MARKERS


def plot_speed(
    points: Mapping[str, Sequence[tuple[float, float, float, float]]], gmacs_per_second: float, title: str
) -> Figure:
    """A marker with its range for each clip, a line for each candidate, and the time that the peak would allow.

    Args:
        points: candidate -> (GMACs, milliseconds, fastest, slowest) of each clip.
        gmacs_per_second: the machine's matrix-multiply peak.
        title: above the figure.
    """
    figure = Figure(figsize=(6.8, 5), layout="constrained")
    axes = figure.subplots()
    axes.set(xscale="log", yscale="log", xlabel="GMACs", ylabel="milliseconds", title=title)
    axes.grid(alpha=0.3, linewidth=0.5, which="both")
    for index, (name, values) in enumerate(points.items()):
        ordered = sorted(values)
        work, middle = [value[0] for value in ordered], [value[1] for value in ordered]
        spread = [[value[1] - value[2] for value in ordered], [value[3] - value[1] for value in ordered]]
        axes.errorbar(
            work, middle, yerr=spread, label=name, marker=MARKERS[index % len(MARKERS)], markersize=6, capsize=3,
            linestyle=STYLES[index % len(STYLES)], linewidth=1, color=f"C{index % 10}",
        )  # fmt: skip
    ends = [bound(value[0] for values in points.values() for value in values) for bound in (min, max)]
    peak = [1e3 * end / gmacs_per_second for end in ends]
    axes.plot(ends, peak, color="0.3", linewidth=1, label="matrix-multiply peak")
    axes.legend(fontsize=8)
    for axis in (axes.xaxis, axes.yaxis):  # plain numbers, also where the range is less than a decade
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(NullFormatter())
    return figure
