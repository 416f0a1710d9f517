"""`vidattn compare`: schemes side by side as a table, files and figures."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
from rich.progress import track

from vidattn.bench.side_by_side import measured_text, side_by_side
from vidattn.commands.detecting_cost import detecting_sentence
from vidattn.commands.match import match_schemes
from vidattn.commands.options import Parser, check_files, pixels, refuse
from vidattn.comparison.accuracy import of_schemes, read_accuracy
from vidattn.comparison.comparison import compare, crossovers, height_width
from vidattn.comparison.matching import BUDGETS, KNOBS
from vidattn.comparison.source import read_run, schemed_of
from vidattn.comparison.terms import config_of
from vidattn.console import plain_console
from vidattn.mistakes import Mistake
from vidattn.models.presets import FIXED, PRESETS, Schemed, preset
from vidattn.tables import markdown, rich_table, write_rows
from vidattn.writable import check_place

Rows = list[dict[str, Any]]
T = TypeVar("T")
NOTE = (
    "ratio: of GMACs (or of time) to the first scheme; scores: share of scores and weighted sums in the GMACs; "
    "saved: activations of a training step, fp32"
)


def compare_schemes(words: list[str]) -> None:
    """`vidattn compare`, with the words behind it."""
    parser = Parser(
        prog="vidattn compare",
        description="What attention schemes cost side by side, and where one overtakes another.",
        epilog="example: vidattn compare joint time+space local+global 'space|time' --frames 8,16,32 --size 224,448",
    )
    parser.add_argument("schemes", nargs="+", help="specs, or presets; the others are compared with the first")
    parser.add_argument("--frames", type=numbers, help="lengths of the clips, as in 8,16,32; the network's by default")
    parser.add_argument("--size", type=sizes, help="in pixels, as in 224,448 or 224x320 (height x width); likewise")
    parser.add_argument(
        "--preset", help=f"width, depth and heads: {', '.join(PRESETS)} (default: the first scheme, if it is one, or B)"
    )
    parser.add_argument("--config", help="take them from this configuration of vidattn fit instead")
    parser.add_argument(
        "--check",
        action="store_true",
        help="verify the count of every network on every clip; by default two blocks of each scheme on one clip",
    )
    parser.add_argument("--csv", help="write all rows into this file")
    parser.add_argument("--json", help="likewise")
    parser.add_argument("--markdown", help="write the tables into this file")
    parser.add_argument(
        "--out", metavar="FOLDER", help="draw the costs into this folder; with --match, write the configurations there"
    )
    parser.add_argument(
        "--accuracy", metavar="CSV", help="columns attention and top1 (0 to 1), as study.csv has: a Pareto plot too"
    )
    timing = parser.add_argument_group("time", "measured here, fp32, all schemes of a clip in turn, round by round")
    timing.add_argument("--measure", action="store_true", help="time, throughput, peak memory and kernel too")
    timing.add_argument("--batch", type=number, default=1, help="clips at once (default 1)")
    timing.add_argument("--rounds", type=number, default=7, help="how often each runs (default 7)")
    timing.add_argument("--training", action="store_true", help="forward and backward instead of inference")
    timing.add_argument("--compile", action="store_true", help="through torch.compile")
    timing.add_argument("--threads", type=number, help="CPU threads; all by default")
    matching = parser.add_argument_group("matching", "bring all schemes to the cost of the first")
    matching.add_argument("--match", choices=BUDGETS, help="what shall be alike")
    matching.add_argument("--by", choices=KNOBS, default="width", help="what may change for it (default width)")
    options = parser.parse_args(words)
    if options.match:
        ignored = ("check", "csv", "json", "markdown", "accuracy", "measure", "batch", "training", "compile")
        refuse(parser, options, ignored, "does not go with --match, which brings the schemes to one cost")
    else:
        refuse(parser, options, ("by",), "belongs to --match")
    if not options.measure and options.match != "time":
        refuse(parser, options, ("batch", "rounds", "training", "compile", "threads"), "belongs to --measure")
    if not options.out:
        refuse(parser, options, ("accuracy",), "is drawn: name a folder with --out")
    if options.config:
        refuse(parser, options, ("preset",), "does not go with --config, which has a network of its own")
    check_files(options)
    if options.out:
        check_place(Path(options.out), folder=True)
    (match_schemes if options.match else run)(options, *network_of(options))


def run(options: argparse.Namespace, base: Schemed, name: str, _: object) -> None:
    """Count, measure, print, write and draw what the options ask for."""
    frames, clips = options.frames or [base.num_frames], options.size or [base.size]
    accuracy, gaps = of_schemes(read_accuracy(options.accuracy), options.schemes) if options.accuracy else ({}, [])
    # A file takes wide tables; a terminal has the width that it has.
    console = plain_console(width=None if sys.stdout.isatty() else 120)
    rows = compare(options.schemes, frames, clips, base, options.check, progress=True)
    points = crossovers(options.schemes, frames, clips, base)
    tables = [[readable(row) for row in rows]]
    titles = [f"{name}, {base.num_classes} classes; per clip, 1 MAC = 2 FLOPs"]
    if options.measure:
        rows = with_times(rows, base, options)
        tables.append([measured_text(row) for row in rows])
        titles.append(measured_title(name, options))
    for table, title in zip(tables, titles, strict=True):
        console.print(rich_table(table, title))
    console.print(NOTE)
    if options.config and (said := detecting_sentence(options.config, frames[0], *height_width(clips[0]))):
        console.print(said)
    for line in [*sentences(points), *(f"{options.accuracy}: {gap}" for gap in gaps)]:
        console.print(line)
    written = [write_rows(rows, path) for path in (options.csv, options.json) if path]
    if options.markdown:
        crossings = "\n".join(f"- {line}" for line in sentences(points))
        texts = [f"{title}\n\n{markdown(table)}" for title, table in zip(titles, tables, strict=True)]
        written.append(Path(options.markdown))
        written[-1].parent.mkdir(parents=True, exist_ok=True)
        written[-1].write_text("\n\n".join([*texts, NOTE, crossings]) + "\n")
    if options.out:
        from vidattn.commands.compare_figures import draw

        written += draw(rows, Path(options.out), name, accuracy, points)
    if written:
        console.print(f"wrote {', '.join(map(str, written))}")


def network_of(options: argparse.Namespace) -> tuple[Schemed, str, dict[str, Any]]:
    """The network that the options name, a name for titles, and the complete configuration if there is one.

    Raises:
        ValueError: the preset or something in the configuration is wrong.
        OSError: there is no such file.
    """
    if options.config:
        base, values = read_run(Path(options.config))
        return schemed_of(base, Path(options.config)), Path(options.config).stem, values
    name = options.preset or (options.schemes[0] if options.schemes[0] in PRESETS else "B")
    if name in FIXED:
        raise Mistake(f"no scheme can stand for another in preset {name!r}; vidattn flops {name} counts it")
    return preset(name), f"ViT-{name}/16" if len(name) < 3 else name, {}


def with_times(rows: Rows, base: Schemed, options: argparse.Namespace) -> Rows:
    """The rows with the columns of `side_by_side`; schemes of one clip are timed together."""
    if options.threads:
        torch.set_num_threads(options.threads)
    count = len(options.schemes)
    measured: Rows = []
    for start in track(range(0, len(rows), count), description="Timing", transient=True):
        clips = rows[start : start + count]
        configs = [
            config_of(row["attention"], base, num_frames=row["frames"], image_size=(row["height"], row["width"]))
            for row in clips
        ]
        times = side_by_side(configs, options.batch, options.rounds, options.training, options.compile)
        measured += [row | time for row, time in zip(clips, times, strict=True)]
    return measured


def measured_title(name: str, options: argparse.Namespace) -> str:
    """What was timed, and on what."""
    what = "training step" if options.training else "inference"
    where = torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU, {torch.get_num_threads()} thread(s)"
    return f"{name}, {what}, fp32, batch {options.batch}, {where}; median of {options.rounds} interleaved rounds"


def numbers(text: str) -> list[int]:
    """`8,16` as whole numbers.

    Raises:
        argparse.ArgumentTypeError: something between the commas is no number from 1 up, or is there twice.
    """
    try:
        values = [int(word) for word in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of whole numbers; write 8,16,32") from None
    if bad := [value for value in values if value < 1]:
        raise argparse.ArgumentTypeError(f"{bad[0]} must be at least 1")
    return once(values, text)


def sizes(text: str) -> list[tuple[int, int]]:
    """`224,224x320` as heights and widths; the errors are those of `numbers` and of `pixels`."""
    return once([pixels(word) for word in text.split(",")], text)


def once(values: list[T], text: str) -> list[T]:
    """The values, if they differ.

    Raises:
        argparse.ArgumentTypeError: one is there twice.
    """
    if len(set(values)) < len(values):
        raise argparse.ArgumentTypeError(f"{text!r} has a value twice; give each once")
    return values


def number(text: str) -> int:
    """One whole number from 1 up; the errors are those of `numbers`."""
    values = numbers(text)
    if len(values) > 1:
        raise argparse.ArgumentTypeError(f"{text!r} are several; give one")
    return values[0]


def readable(row: Mapping[str, Any]) -> dict[str, str]:
    """The columns that people read, as text."""
    return {
        "clip": f"{row['frames']}x{row['size']}",
        "attention": row["attention"],
        "parameters": f"{row['parameters'] / 1e6:.2f}M",
        "GMACs": f"{row['gmacs']:.2f}" if row["gmacs"] >= 1 else f"{row['gmacs']:.3g}",
        "ratio": f"{row['ratio']:.3f}",
        "scores": f"{row['attention_share']:.1%}",
        "saved MiB": f"{row['activation_mib']:,.0f}" if row["activation_mib"] >= 10 else f"{row['activation_mib']:.2g}",
    }


def sentences(points: Sequence[Mapping[str, Any]]) -> list[str]:
    """A sentence for each pair and axis: `time+space costs less than joint from 11 frames at 224 px`."""
    pairs: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for point in points:
        pairs.setdefault((point["cheaper"], point["dearer"]), []).append(point)
    lines = []
    for (cheaper, dearer), found in pairs.items():
        if all(point["always"] for point in found):
            everywhere = ", ".join(point["at"] for point in found)
            lines.append(f"{cheaper} always costs less than {dearer} (looked at: {everywhere})")
            continue
        turning = [point for point in found if not point["always"]]
        for axis in dict.fromkeys(point["axis"] for point in turning):
            places = [f"{point['beyond']} {axis} at {point['at']}" for point in turning if point["axis"] == axis]
            lines.append(f"{cheaper} costs less than {dearer} from {', '.join(places)}")
        if places := [point["at"] for point in found if point["always"]]:
            lines.append(f"{cheaper} always costs less than {dearer} at {', '.join(places)}")
    return lines
