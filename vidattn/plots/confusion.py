"""A confusion matrix as a picture."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from vidattn.plots.fonts import as_written


def plot_confusion(counts: np.ndarray, class_names: Sequence[str], title: str) -> Figure:
    """Rows are true classes, columns are answers, each row in shares of its class.

    Args:
        counts: `(K, K)` numbers of videos.
        class_names: K names; they are written at the axes, and the shares in the cells, up to 40 classes.
        title: above the matrix.
    """
    num_classes = len(class_names)
    # Names of folders may hold bytes that are no text, and breaks of the line.
    class_names = [" ".join(name.encode("utf-8", "backslashreplace").decode().split()) for name in class_names]
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = min(4 + 0.45 * num_classes, 14)
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set(title=title, xlabel="answer", ylabel="true class")
    if num_classes <= 40:
        axes.set_xticks(range(num_classes), class_names, rotation=45, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(num_classes), class_names)
        for row, column in np.argwhere(counts > 0):
            colour = "white" if shares[row, column] > 0.5 else "black"
            size = 10 if num_classes <= 15 else 6
            axes.text(column, row, f"{shares[row, column]:.0%}", ha="center", va="center", color=colour, fontsize=size)
    figure.colorbar(image, ax=axes, shrink=0.7, label="share of the true class")
    return as_written(figure)
