"""Schemes side by side: what each costs on clips of many lengths and sizes, and where one overtakes another."""

import math
from collections.abc import Sequence
from itertools import combinations, product
from typing import Any

from rich.progress import track

from vidattn.comparison.distinct import check_distinct
from vidattn.comparison.terms import config_of
from vidattn.flops.agreement import check_scheme
from vidattn.flops.counting import count, count_outline
from vidattn.flops.outline import Ends, Outline, count_ends
from vidattn.flops.weightless import network_on_meta
from vidattn.mistakes import Mistake
from vidattn.models.presets import PRESETS, Schemed, preset

Size = int | tuple[int, int]


def compare(
    schemes: Sequence[str],
    frames: Sequence[int] = (8,),
    sizes: Sequence[Size] = (224,),
    base: Schemed | None = None,
    check: bool = False,
    progress: bool = False,
) -> list[dict[str, Any]]:
    """A row for each length, size and scheme, made for that length and size; no weights are made.

    >>> rows = compare(["joint", "divided"], frames=[8, 16])
    >>> [(row["frames"], row["attention"], round(row["ratio"], 3)) for row in rows]
    [(8, 'joint', 1.0), (8, 'divided', 1.091), (16, 'joint', 1.0), (16, 'divided', 0.872)]

    Args:
        schemes: specs, such as `joint` or `time+space`, or names of presets, each a network of its own; the first is
            what the others are compared with.
        frames: lengths of the clips.
        sizes: height and width in pixels, or one number for both.
        base: everything else; ViT-B/16 with 400 classes by default.
        check: measure every count on the meta device as well (see `vidattn.flops.count`), instead of those of two
            blocks of each scheme on the longest and largest clip.
        progress: show a bar.

    Returns:
        What `Count.row` has (`pandas.DataFrame(rows)` takes it), and `size` (`"224x320"` where height and width
        differ), `gmacs`, `attention_share` (of scores and weighted sums in all multiply-accumulates),
        `activation_mib` and `ratio` (of multiply-accumulates to the first).

    Raises:
        ValueError: a scheme cannot be read or is there twice, the patch does not divide a size, a length is below 1.
        CountError: what a module does is not what it declares.
    """
    check_distinct(schemes)
    # A block is the same at any length and size, and the rest is the same for any scheme: neither is made twice.
    base = base or preset("B")
    outlines = {scheme: Outline(network_on_meta(config_of(scheme, base))) for scheme in schemes}
    rows: list[dict[str, Any]] = []
    clips = list(product(sizes, frames))
    for scheme in schemes:
        if clips and not check:
            check_scheme(config_of(scheme, base, num_frames=max(frames), image_size=max(sizes, key=area)))
    for size, length in track(clips, description="Counting", transient=True, disable=not progress):
        counts, ends = [], dict[tuple[type, str], Ends]()
        for scheme in schemes:
            outline = outlines[scheme]
            config = config_of(scheme, base, num_frames=length, image_size=size)
            if check:
                counts.append(count(config))
                continue
            kind = (type(outline.ends), scheme if scheme in PRESETS else "")
            if kind not in ends:
                ends[kind] = count_ends(config)
            counts.append(count_outline(outline, config, ends[kind], length, *config.size))
        for scheme, cost in zip(schemes, counts, strict=True):
            rows.append(
                cost.row()
                | {
                    "attention": scheme,
                    "size": _plain(size),
                    "gmacs": cost.macs / 1e9,
                    "attention_share": cost.parts.attention / cost.macs,
                    "activation_mib": cost.activation_bytes / 2**20,
                    "ratio": cost.macs / counts[0].macs,
                }
            )
    return rows


def crossovers(
    schemes: Sequence[str],
    frames: Sequence[int] = (8,),
    sizes: Sequence[Size] = (224,),
    base: Schemed | None = None,
    most_frames: int = 256,
    most_size: int = 1024,
) -> list[dict[str, Any]]:
    """Where one scheme of each pair becomes the cheaper one in multiply-accumulates, and stays it.

    >>> for row in crossovers(["joint", "divided"]):
    ...     print(f"{row['cheaper']} beats {row['dearer']} at {row['at']} from {row['beyond']} {row['axis']}")
    divided beats joint at 224 px from 11 frames
    divided beats joint at 8 frames from 272 px

    Args:
        schemes: specs; all pairs of them are looked at.
        frames: lengths at which the size grows.
        sizes: at which the length grows; as in `compare`.
        base: everything else; ViT-B/16 by default.
        most_frames: longest clip to look at.
        most_size: largest size to look at, in pixels.

    Returns:
        A row for each pair and each of `sizes` and `frames`, with `beyond`: the smallest length or size from which
        `cheaper` beats `dearer` all the way to the largest looked at; `always` says that it is the smallest of all.
        Pairs that cost the same in the end are left out.

    Raises:
        ValueError: as in `compare`.
        CountError: likewise.
    """
    check_distinct(schemes)
    base = base or preset("B")
    networks = [config_of(scheme, base) for scheme in schemes]
    tubelet, patch = math.lcm(*(one.tubelet_size for one in networks)), math.lcm(*(one.patch_size for one in networks))
    lengths = range(tubelet, most_frames + 1, tubelet)
    sides = [side for side in range(patch, most_size + 1, patch) if all(fits(one, side) for one in networks)]
    outlines = {}
    for scheme in schemes:
        for size in sizes:
            config_of(scheme, base, image_size=size)  # says what is wrong with it
        for length in frames:
            config_of(scheme, base, num_frames=length)
        config = config_of(scheme, base)
        check_scheme(config)
        outlines[scheme] = Outline(network_on_meta(config))
    rows = []
    for size in sizes:
        costs = {
            name: [outline.macs(length, *height_width(size)) for length in lengths]
            for name, outline in outlines.items()
        }
        rows += _turning_points(costs, lengths, "frames", f"{_plain(size)} px")
    for length in frames:
        costs = {name: [outline.macs(length, side, side) for side in sides] for name, outline in outlines.items()}
        rows += _turning_points(costs, sides, "px", f"{length} frames")
    return rows


def _turning_points(costs: dict[str, list[int]], values: Sequence[int], axis: str, at: str) -> list[dict[str, Any]]:
    rows = []
    for one, other in combinations(costs, 2):
        gains = [a - b for a, b in zip(costs[one], costs[other], strict=True)]
        if not gains[-1]:
            continue
        place = len(gains) - 1
        while place and gains[place - 1] * gains[-1] > 0:
            place -= 1
        cheaper, dearer = (one, other) if gains[-1] < 0 else (other, one)
        rows.append({"cheaper": cheaper, "dearer": dearer, "at": at, "beyond": values[place], "axis": axis,
                     "always": place == 0})  # fmt: skip
    return rows


def fits(config: Schemed, side: int) -> bool:
    """Whether the network takes squares of so many pixels."""
    try:
        config.check_clip(config.num_frames, side, side)
    except Mistake:
        return False
    return True


def height_width(size: Size) -> tuple[int, int]:
    """Height and width."""
    return (size, size) if isinstance(size, int) else size


def area(size: Size) -> int:
    """Height times width."""
    height, width = height_width(size)
    return height * width


def _plain(size: Size) -> int | str:
    """A square's side, `"224x320"` of another."""
    height, width = height_width(size)
    return height if height == width else f"{height}x{width}"
