"""How much answers move with each layer: which ones to leave alone."""

from collections.abc import Mapping

from matplotlib.figure import Figure

MARKS = ("o", "s", "^", "D", "v")


def plot_sensitivity(found: Mapping[str, Mapping[str, float]], title: str) -> Figure:
    """A row for each layer, first to last from above, and a mark for each kind; the three largest of a kind are filled.

    Args:
        found: kind -> layer -> relative difference of the logits; the same layers for all.
        title: above.
    """
    names = list(next(iter(found.values())))
    figure = Figure(figsize=(8, 1.6 + 0.19 * len(names)), layout="constrained")
    axes = figure.subplots()
    for place, (kind, values) in enumerate(found.items()):
        heights, colour = [values[name] for name in names], f"C{place}"
        most = sorted(range(len(names)), key=heights.__getitem__)[-3:]
        axes.scatter(
            [max(height, 1e-9) for height in heights],
            range(len(names)),
            marker=MARKS[place % len(MARKS)],
            s=24,
            facecolors=[colour if row in most else "white" for row in range(len(names))],
            edgecolors=colour,
            label=f"{kind}; filled: the three largest",
            zorder=2,
        )
    axes.set(
        xscale="log", xlabel="difference of the logits over their spread, this layer alone being small", title=title
    )
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(alpha=0.3, linewidth=0.5)
    figure.legend(loc="outside lower center", ncols=len(found), fontsize=8)
    return figure
