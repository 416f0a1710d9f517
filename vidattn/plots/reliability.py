"""How often answers are right, against how sure they were."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure


def plot_reliability(panels: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]]) -> Figure:
    """A panel each: bars of the share that is right, a tick at the mean certainty; below, how many answers there are.

    Bars that end below the diagonal are of answers that are too sure.

    Args:
        panels: title -> counts, mean certainty and share that is right of each of n bins of equal width from 0 to 1.
    """
    figure = Figure(figsize=(4.2 * len(panels), 4.8), layout="constrained")
    rows = figure.subplots(2, len(panels), sharex=True, sharey="row", squeeze=False, height_ratios=[4, 1])
    for (title, (counts, certainty, right)), above, below in zip(panels.items(), rows[0], rows[1], strict=True):
        number = len(counts)
        middles, width = (np.arange(number) + 0.5) / number, 1 / number
        held = np.asarray(counts) > 0
        shares = 100 * np.asarray(right, float)
        sure = 100 * np.asarray(certainty, float)
        above.plot([0, 100], [0, 100], color="0.4", linestyle=":", linewidth=1, label="as sure as right")
        above.bar(100 * middles[held], shares[held], 92 * width, color="C0", alpha=0.85, label="share that is right")
        above.vlines(sure[held], np.minimum(sure, shares)[held], np.maximum(sure, shares)[held], "C3", linewidth=2,
                     label="how far from how sure")  # fmt: skip
        above.plot(sure[held], sure[held], "_", color="C3", markersize=9, markeredgewidth=2)
        above.set(title=title, xlim=(0, 100), ylim=(0, 100))
        above.grid(alpha=0.3, linewidth=0.5)
        below.bar(100 * middles, counts, 92 * width, color="0.55")
        below.set(xlabel="certainty of the answer, %")
    rows[0, 0].set_ylabel("right, %")
    rows[1, 0].set_ylabel("answers")
    rows[0, 0].legend(frameon=False, loc="upper left", fontsize=9)
    return figure
