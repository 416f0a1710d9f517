"""Efficiency over GPUs: where decoding, storage, the network and waiting for each other bind."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, NullLocator, PercentFormatter

COLOURS = {"gpu": "C0", "decode": "C1", "storage": "C2", "network": "C3"}
NAMES = {"gpu": "slowest GPU", "decode": "decoding", "storage": "storage", "network": "network"}
"""What may bind, as a legend says it."""


def plot_scaling(
    gpus: Sequence[int], limits: Mapping[str, Sequence[float]], simulated: Mapping[int, float], asked: int, title: str
) -> Figure:
    """A broad line for the efficiency, a thin one for what each limit would allow, and dots of a simulation.

    Args:
        gpus: numbers of GPUs.
        limits: `gpu`, `decode`, `storage` and `network` -> efficiency that it allows for each number, 0 to 1.
        simulated: number of GPUs -> efficiency.
        asked: number of GPUs that is asked about: a dotted line.
        title: above the figure.
    """
    figure = Figure(figsize=(7.2, 4.6), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, fontsize=10)
    axes.set(xlabel="GPUs", ylabel="clips a second, of those of GPUs that never wait", ylim=(0, 1.05))
    axes.set_xscale("log", base=2)
    axes.grid(alpha=0.3, linewidth=0.5)
    for name, allowed in limits.items():
        axes.plot(gpus, allowed, color=COLOURS[name], linewidth=1.5, label=f"{NAMES[name]} allows")
    lowest = [min(values) for values in zip(*limits.values(), strict=True)]
    axes.plot(gpus, lowest, color="0.1", linewidth=4, alpha=0.25, label="closed form", zorder=1)
    axes.plot(list(simulated), list(simulated.values()), "o", color="0.1", markersize=4.5, label="simulated", zorder=5)
    axes.axvline(asked, color="0.4", linestyle=":", linewidth=1.2)
    late = gpus[-1] > gpus[0] and asked**2 > gpus[0] * gpus[-1]
    axes.annotate(
        f"{asked:,} GPUs", (asked, 0.02), (-5 if late else 5, 0), textcoords="offset points", fontsize=8, color="0.3",
        ha="right" if late else "left",
    )  # fmt: skip
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.xaxis.set_major_locator(LogLocator(base=2, numticks=12))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False)
    return figure
