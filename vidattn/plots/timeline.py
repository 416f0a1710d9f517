"""Classes over time under a film strip."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, PercentFormatter

_WIDTH = 11.0  # inches


def plot_timeline(
    seconds: np.ndarray,
    curves: Mapping[str, np.ndarray],
    segments: Sequence[tuple[float, float, str, float]],
    pictures: np.ndarray,
    picture_seconds: Sequence[float],
    duration: float,
    title: str,
) -> Figure:
    """Film strip, segments and probabilities over one time axis.

    Args:
        seconds: `(n,)` instants of the probabilities.
        curves: name of a class -> `(n,)` probabilities; a colour each.
        segments: (start, end, name, probability); grey where the name is not among the curves.
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
    clock = _clock_for(duration)
    colours = {name: f"C{place % 10}" for place, name in enumerate(curves)}

    cell = duration / count
    shown = min(cell, duration / _WIDTH * strip_height * width / height)  # keeps the shape of few pictures
    for place, (picture, instant) in enumerate(zip(pictures, picture_seconds, strict=True)):
        middle = (place + 0.5) * cell
        strip.imshow(picture, extent=(middle - 0.49 * shown, middle + 0.49 * shown, 0, 1), aspect="auto")
        label = strip.text(middle, 0.04, clock(instant), ha="center", va="bottom", fontsize=7, color="white")
        label.set_path_effects([withStroke(linewidth=2, foreground="#0009")])
    strip.set(ylim=(0, 1))
    strip.set_axis_off()

    others = False
    for start, end, name, _ in segments:
        others |= name not in colours
        bar.axvspan(start, end, color=colours.get(name, "0.7"), linewidth=0)
        room = int((end - start) / duration / 0.011)  # letters
        if room >= min(len(name), 4):
            short = name if len(name) <= room else f"{name[: room - 1]}…"
            bar.text((start + end) / 2, 0.48, short, ha="center", va="center", fontsize=8, color="white", clip_on=True)
    bar.set(ylim=(0, 1), yticks=[])
    for side in bar.spines.values():
        side.set_visible(False)
    bar.tick_params(bottom=False, labelbottom=False)

    # The first and the last answer hold to the ends of the video.
    at = np.concatenate(([0.0], seconds, [duration]))
    for name, values in curves.items():
        held = np.concatenate((values[:1], values, values[-1:]))
        axes.plot(at, held, color=colours[name], label=name, linewidth=1.6)
    if others:
        axes.fill_between([], [], color="0.7", label="other classes")
    peak = max(float(values.max()) for values in curves.values())
    axes.set(xlim=(0, duration), ylim=(0, 1.02 if peak > 0.5 else 1.3 * peak), ylabel="probability")
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: clock(value)))
    axes.set_xlabel("minutes:seconds")
    axes.grid(alpha=0.3, linewidth=0.5)
    columns = max(1, min(len(curves), 110 // (6 + max(map(len, curves)))))
    figure.legend(loc="outside lower center", ncols=columns, frameon=False, fontsize=9)
    return figure


def _clock_for(duration: float) -> Callable[[float], str]:
    """Minutes and seconds to a tenth; to a thousandth where the video is shorter than a few seconds.

    >>> _clock_for(60)(61.26), _clock_for(0.5)(0.26)
    ('1:01.3', '0:00.260')
    """
    digits = 1 if duration >= 3 else 3

    def clock(seconds: float) -> str:
        ticks = round(seconds * 10**digits)
        minutes, rest = divmod(ticks, 60 * 10**digits)
        return f"{minutes}:{rest / 10**digits:0{digits + 3}.{digits}f}"

    return clock
