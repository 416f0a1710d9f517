"""Classes over time under a film strip."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, MultipleLocator, PercentFormatter

from vidattn.plots.fonts import as_written

_WIDTH = 11.0  # inches
_MINUTES = (1, 2, 5, 10, 15, 30, 60, 120, 240, 360, 720, 1440)
_STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, *(60 * one for one in _MINUTES))
"""Seconds from one tick to the next that are round on a clock."""


def plot_timeline(
    seconds: np.ndarray,
    names: Sequence[str],
    curves: Mapping[int, np.ndarray],
    segments: Sequence[tuple[float, float, int]],
    pictures: np.ndarray,
    picture_seconds: Sequence[float],
    duration: float,
    title: str,
) -> Figure:
    """Film strip, segments and probabilities over one time axis.

    Args:
        seconds: `(n,)` instants of the probabilities.
        names: of the classes; two may be the same.
        curves: number of a class -> `(n,)` probabilities; a colour each.
        segments: (start, end, number of a class); grey where the class is not among the curves.
        pictures: `(m, h, w, 3)` spread over the video, earliest first.
        picture_seconds: when each is shown; written on it.
        duration: of the video in seconds.
        title: above all; none where it is empty.
    """
    count, height, width, _ = pictures.shape
    strip_height = min(_WIDTH / count * height / width, 2.4)
    ratios = [strip_height, 0.32, 2.6]
    figure = Figure(figsize=(_WIDTH + 0.6, sum(ratios) + 1.1), layout="constrained")
    strip, bar, axes = figure.subplots(3, 1, sharex=True, height_ratios=ratios)
    if title:
        figure.suptitle(title, fontsize=11)
    colours = dict(zip(curves, distinct_colours(len(curves)), strict=True))

    cell = duration / count
    digits = 0 if cell >= 10 else 1 if cell >= 0.3 else 3
    shown = min(cell, duration / _WIDTH * strip_height * width / height)  # keeps the shape of few pictures
    for place, (picture, instant) in enumerate(zip(pictures, picture_seconds, strict=True)):
        middle = (place + 0.5) * cell
        strip.imshow(picture, extent=(middle - 0.49 * shown, middle + 0.49 * shown, 0, 1), aspect="auto")
        written = strip.text(
            middle, 0.04, _clock(instant, digits, duration >= 3600), ha="center", va="bottom", fontsize=7, color="white"
        )
        written.set_path_effects([withStroke(linewidth=2, foreground="#0009")])
    strip.set(ylim=(0, 1))
    strip.set_axis_off()

    others = False
    for start, end, label in segments:
        others |= label not in colours
        bar.axvspan(start, end, color=colours.get(label, "0.7"), linewidth=0)
        name = names[label]
        room = int((end - start) / duration / 0.011)  # letters
        if room >= min(len(name), 4):
            short = name if len(name) <= room else f"{name[: room - 1]}…"
            written = bar.text(
                (start + end) / 2, 0.48, short, ha="center", va="center", fontsize=8, color="white", clip_on=True
            )
            written.set_path_effects([withStroke(linewidth=2, foreground="#0006")])  # some colours are light
    bar.set(ylim=(0, 1), yticks=[])
    for side in bar.spines.values():
        side.set_visible(False)
    bar.tick_params(bottom=False, labelbottom=False)

    # The first and the last answer hold to the ends of the video.
    at = np.concatenate(([0.0], seconds, [duration]))
    for label, values in curves.items():
        held = np.concatenate((values[:1], values, values[-1:]))
        axes.plot(at, held, color=colours[label], label=names[label], linewidth=1.6)
    if others:
        axes.fill_between([], [], color="0.7", label="other classes")
    peak = max(float(values.max()) for values in curves.values())
    axes.set(xlim=(0, duration), ylim=(0, 1.02 if peak > 0.5 else 1.3 * peak), ylabel="probability")
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    step = next((step for step in _STEPS if duration <= 10 * step), duration / 10)
    decimals = max(0, -math.floor(math.log10(step)))
    axes.xaxis.set_major_locator(MultipleLocator(step))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _clock(value, decimals, duration >= 3600)))
    axes.set_xlabel("hours:minutes:seconds" if duration >= 3600 else "minutes:seconds")
    axes.grid(alpha=0.3, linewidth=0.5)
    columns = max(1, min(len(curves), 110 // (6 + max(len(names[label]) for label in curves))))
    figure.legend(loc="outside lower center", ncols=columns, frameon=False, fontsize=9)
    return as_written(figure)


def distinct_colours(count: int) -> list[Any]:
    """So many colours, each once: the usual ten, their lighter kin, and beyond twenty steps along a rainbow.

    >>> distinct_colours(2)
    ['C0', 'C1']
    """
    if count <= 20:
        return [*(f"C{place}" for place in range(10)), *colormaps["tab20"].colors[1::2]][:count]  # type: ignore[attr-defined]
    return [colormaps["turbo"](place / (count - 1)) for place in range(count)]


def _clock(seconds: float, digits: int, hours: bool) -> str:
    """Minutes and seconds with so many digits; before them the hours, if they are wanted.

    >>> _clock(61.26, 1, False), _clock(0.26, 3, False), _clock(3725.5, 0, True)
    ('1:01.3', '0:00.260', '1:02:06')
    """
    ticks = round(seconds * 10**digits)
    minutes, rest = divmod(ticks, 60 * 10**digits)
    clock = f"{rest / 10**digits:0{digits + 3 if digits else 2}.{digits}f}"
    return f"{minutes // 60}:{minutes % 60:02d}:{clock}" if hours else f"{minutes}:{clock}"
