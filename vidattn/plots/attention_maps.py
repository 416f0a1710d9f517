"""Where a model looked: heat over the frames of a clip, and a bar for each frame."""

import textwrap
from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from vidattn.plots.fonts import as_written

COLOURS = matplotlib.colormaps["inferno"]
MAX_COLUMNS = 16  # frames side by side; of a longer clip evenly spaced ones, and the one that counts most
_LETTERS = 10  # of the title in an inch


def overlay(frames: np.ndarray, shares: np.ndarray, min_side: int = 224) -> np.ndarray:
    """uint8 `(T, H', W', 3)`: frames, dimmed, under heat; the brightest place of the clip has all the heat.

    Args:
        frames: uint8 `(T, H, W, 3)`.
        shares: `(T, h, w)`, what each place counts; drawn smoothly between the places.
        min_side: small frames are enlarged by a whole number, to this height at least; an odd last row or column goes.
    """
    large = enlarged(frames, min_side)
    size = (large.shape[2], large.shape[1])
    peak = max(float(shares.max()), 1e-30)
    heat = np.stack(
        [
            np.asarray(Image.fromarray(np.float32(share / peak)).resize(size, Image.Resampling.BICUBIC))
            for share in shares
        ]
    )[..., None].clip(0, 1)  # bicubic swings past both ends
    grey = large.mean(-1, keepdims=True) * 0.9
    opacity = 0.85 * heat**0.7  # so that half the heat is still seen
    colour = 255 * COLOURS(0.35 + 0.5 * heat[..., 0])[..., :3]  # darker ones are like the frames, lighter ones pale
    return (grey * (1 - opacity) + colour * opacity).astype(np.uint8)


def enlarged(frames: np.ndarray, min_side: int) -> np.ndarray:
    """Frames `(T, H, W, 3)` times a whole number, so that they are at least `min_side` high; sides are even."""
    times = max(1, -(-min_side // frames.shape[1]))
    large = frames.repeat(times, 1).repeat(times, 2)
    return large[:, : large.shape[1] // 2 * 2, : large.shape[2] // 2 * 2]


def plot_attention(frames: np.ndarray, shares: np.ndarray, title: str, names: Sequence[str] | None = None) -> Figure:
    """The frames, the frames under heat, and how much each frame counts.

    Args:
        frames: uint8 `(T, H, W, 3)`.
        shares: `(T, h, w)`, what each place counts; they sum to 1.
        title: above all, in as many lines as it takes.
        names: `(T,)`, what stands under the frames; by default their numbers.
    """
    importance = shares.sum((1, 2))
    chosen = np.unique(np.linspace(0, len(frames) - 1, min(len(frames), MAX_COLUMNS)).round().astype(int))
    most = np.argmax(importance)
    chosen[np.argmin(np.abs(chosen - most))] = most  # of all frames the one to be seen
    width = max(1.3 * len(chosen), 5)
    lines = textwrap.wrap(title, int(_LETTERS * width))
    figure = Figure(figsize=(width, 4.4 + 0.17 * len(lines)), layout="constrained")
    figure.suptitle("\n".join(lines), fontsize=10)
    rows = figure.add_gridspec(3, len(chosen), height_ratios=(1.3, 1.3, 1))
    heated = overlay(frames, shares)
    for column, frame in enumerate(chosen):
        for row, picture in enumerate((frames[frame], heated[frame])):
            axes = figure.add_subplot(rows[row, column])
            axes.imshow(picture)
            axes.set_axis_off()
    axes = figure.add_subplot(rows[2, :])
    axes.bar(range(len(frames)), importance, color=COLOURS(0.25 + 0.6 * importance / max(importance.max(), 1e-30)))
    axes.axhline(1 / len(frames), color="0.4", linewidth=0.8, linestyle="--")
    axes.annotate(
        "equal\nshares", (len(frames) - 0.45, 1 / len(frames)), fontsize=7, va="center", annotation_clip=False
    )
    names = [str(frame) for frame in range(len(frames))] if names is None else names
    axes.set_xticks(chosen, [names[frame] for frame in chosen], fontsize=8)
    axes.set(xlim=(-0.5, len(frames) - 0.5), ylim=(0, max(1.25 / len(frames), 1.1 * importance.max())))
    axes.set_ylabel("share of attention", fontsize=8)
    axes.tick_params(axis="y", labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    return as_written(figure)
