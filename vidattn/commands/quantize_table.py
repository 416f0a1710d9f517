"""`vidattn quantize SOURCE --table LIST`: every kind of small network, what it answers and what it costs."""

from argparse import Namespace
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from vidattn.bench.quantized import candidates, compared, machine
from vidattn.bench.sensitivity import sensitivity
from vidattn.checks import check_positive
from vidattn.classify.listed_views import listed_views
from vidattn.classify.preparation import Preparation
from vidattn.commands.quantize import clips_of, source_of
from vidattn.console import plain_console
from vidattn.data.videos.manifest import Manifest, read_manifest
from vidattn.data.videos.shards import refuse_shards
from vidattn.mistakes import Mistake
from vidattn.models.normalize import Normalize
from vidattn.plots.sensitivity import plot_sensitivity
from vidattn.quantization.kinds import KINDS
from vidattn.quantization.layer import Range
from vidattn.quantization.ranges import Clip, measured_ranges
from vidattn.quantization.recipe import chosen_layers
from vidattn.quantization.rounding import torchao
from vidattn.tables import rich_table, write_rows
from vidattn.wording import counted
from vidattn.writable import check_place, writing

LOOKED_AT = ("int8", "int4-weights")
"""The kinds whose layers are tried one by one."""

SHOWN = 32
"""Clips that they are tried on."""


def write_table(options: Namespace) -> None:
    """Print and write the table, and beside it the picture of what each layer does to the answers.

    Raises:
        ValueError: an option does not fit, the list has no labels, or torchao is missing.
    """
    if options.csv.suffix != ".csv":
        raise Mistake(f"--csv {options.csv} must end in .csv; the picture gets the same name with .png")
    picture = options.csv.with_suffix(".png")
    for file in (options.csv, picture):
        check_place(file, folder=False)
    check_positive(**{f"batch {place}": size for place, size in enumerate(options.batch)}, clips=options.clips)
    torchao()
    model, preparation = source_of(options.source)
    network, normalize = model.network.eval(), model.normalize
    listed = _labelled(options.table, model.class_names)
    layers = chosen_layers(network, options.skip)
    clip: Clip = options.clip or "percentile"
    ranges = None
    if options.calibrate is not None:
        batches = _batches(list(clips_of(options.calibrate, preparation, options.reader, options.clips)), normalize)
        ranges = measured_ranges(network, layers, batches, clip)
    small = candidates(network, list(KINDS), layers, ranges, clip)
    read = _Read(listed, preparation, options.reader)
    rows = compared(small, read, normalize, options.batch)
    some = list(clips_of(options.table, preparation, options.reader, SHOWN))
    with writing(options.csv):
        write_rows(rows, options.csv)
        moved = _moved(network, layers, some, normalize, ranges)
        title = f"{model.config.title}, {counted(len(some), 'clip')}"
        plot_sensitivity(moved, title).savefig(picture, dpi=110)
    console = plain_console()
    console.print(rich_table([_shown(row, rows[0], options.batch) for row in rows], f"{counted(read.seen, 'clip')}"))
    console.print(f"machine: {machine(torch.device('cpu'))}. Times are the CPU's, medians of interleaved rounds.")
    for how in dict.fromkeys(row["how"] for row in rows):
        console.print(f"{', '.join(row['kind'] for row in rows if row['how'] == how)}: {how}")
    if ranges is None:
        console.print("int8-static: left out, as its ranges are measured; give videos: --calibrate VIDEOS")
    for kind, values in moved.items():
        most = sorted(values, key=values.__getitem__)[-3:][::-1]
        console.print(f"{kind}, alone: {', '.join(f'{name} {values[name]:.2g}' for name in most)} move answers most")
    console.print(f"wrote {options.csv} and {picture}")


class _Read:
    """The clips of listed videos with their classes, in batches, counted as they come."""

    def __init__(self, listed: Manifest, preparation: Preparation, reader: str) -> None:
        self.videos = [one for one in listed.videos if one.label is not None]
        self.loader = listed_views(self.videos, preparation, reader, 8)
        self.seen = 0

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for batch in self.loader:
            if count := len(batch["video"]):
                self.seen += count
                yield batch["video"], torch.tensor([self.videos[place].label for place in batch["video_id"].tolist()])
        if not self.seen:
            raise Mistake("--table: none of its videos could be read; vidattn check LIST tells why")


def _shown(row: dict[str, Any], first: dict[str, Any], sizes: list[int]) -> dict[str, str]:
    """A row for the terminal."""
    found = {
        "kind": row["kind"],
        "top-1": f"{row['top1']:.1%} [{row['low']:.1%}, {row['high']:.1%}]",
        "as fp32": f"{row['agreement']:.1%}",
        "MB": f"{row['megabytes']:.2f} ({row['megabytes'] / first['megabytes']:.2f})",
    }
    for size in sizes:
        ratio = first[f"ms_{size}"] / max(row[f"ms_{size}"], 1e-9)
        found[f"ms of {size}"] = f"{row[f'ms_{size}']:.1f} ({ratio:.2f}x)"
        found[f"MiB of {size}"] = f"{row[f'mib_{size}']:.0f}"
    return found


def _labelled(table: str, class_names: list[str]) -> Manifest:
    """
    Raises:
        ValueError: the list has no labels, or several a video.
    """
    refuse_shards(table)
    listed = read_manifest(table, class_names=class_names or None)
    if not listed.labelled or listed.multi_label:
        raise Mistake(f"--table {table}: wanted videos with a class each, to count how many answers are right")
    return listed


def _batches(clips: list[Tensor], normalize: Normalize) -> Iterator[Tensor]:
    return (normalize(torch.stack(clips[at : at + 8])) for at in range(0, len(clips), 8))


def _moved(
    network: nn.Module, layers: list[str], clips: list[Tensor], normalize: Normalize, ranges: dict[str, Range] | None
) -> dict[str, dict[str, float]]:
    """Kind -> layer -> how far it moves the answers."""
    video = normalize(torch.stack(clips))
    return {kind: sensitivity(network, kind, layers, video, ranges) for kind in LOOKED_AT}
