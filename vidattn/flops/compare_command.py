"""`vidattn compare`: schemes side by side as a table, files and figures."""

import argparse
import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from vidattn.flops.comparison import compare, crossovers
from vidattn.flops.tables import markdown, write_rows
from vidattn.models.presets import PRESETS, preset

Rows = list[dict[str, Any]]


def compare_command(words: list[str]) -> None:
    """`vidattn compare`, with the words behind it."""
    parser = argparse.ArgumentParser(
        prog="vidattn compare",
        description="What attention schemes cost side by side, and where one overtakes another.",
        epilog="example: vidattn compare joint time+space local+global 'space|time' --frames 8,16,32 --size 224,448",
    )
    parser.add_argument("schemes", nargs="+", help="specs; the others are compared with the first")
    parser.add_argument("--frames", type=numbers, help="lengths of the clips, as in 8,16,32; the preset's by default")
    parser.add_argument("--size", type=numbers, help="heights and widths in pixels, as in 224,448; likewise")
    parser.add_argument("--preset", default="B", help=f"width, depth and heads: {', '.join(PRESETS)} (default B)")
    parser.add_argument("--check", action="store_true", help="also run every network on the meta device and compare")
    parser.add_argument("--csv", help="write all rows into this file")
    parser.add_argument("--json", help="likewise")
    parser.add_argument("--markdown", help="write the tables into this file")
    parser.add_argument("--plots", metavar="DIR", help="draw the costs into this folder")
    parser.add_argument(
        "--accuracy", metavar="CSV", help="columns attention and top1 (0 to 1), as study.csv has: a Pareto plot too"
    )
    options = parser.parse_args(words)
    try:
        run(options)
    except (ValueError, OSError) as error:
        parser.error(str(error))


def run(options: argparse.Namespace) -> None:
    """Count, print, write and draw what the options ask for."""
    base = preset(options.preset)
    frames, sizes = options.frames or [base.num_frames], options.size or [base.size[0]]
    name = f"ViT-{options.preset}/{base.patch_size}" if len(options.preset) < 3 else options.preset
    accuracy = read_accuracy(options.accuracy) if options.accuracy else {}
    rows = compare(options.schemes, frames, sizes, base, options.check, progress=True)
    points = crossovers(options.schemes, frames, sizes, base)
    title = f"{name}, {base.num_classes} classes; per clip, 1 MAC = 2 FLOPs"
    note = (
        "ratio: of GMACs to the first scheme; scores: share of scores and weighted sums in the GMACs; "
        "saved: activations of a training step, fp32"
    )
    console = Console(soft_wrap=True, highlight=False)
    console.print(cost_table(rows, title))
    console.print(note)
    for line in sentences(points):
        console.print(line)
    written = [write_rows(rows, path) for path in (options.csv, options.json) if path]
    if options.markdown:
        path = Path(options.markdown)
        path.parent.mkdir(parents=True, exist_ok=True)
        crossings = "\n".join(f"- {line}" for line in sentences(points))
        path.write_text(f"{title}; {note}\n\n{markdown([readable(row) for row in rows])}\n\n{crossings}\n")
        written.append(path)
    if options.plots:
        written += draw(rows, Path(options.plots), name, accuracy)
    if written:
        console.print(f"wrote {', '.join(map(str, written))}")


def numbers(text: str) -> list[int]:
    """`8,16` as whole numbers.

    Raises:
        argparse.ArgumentTypeError: something between the commas is no number from 1 up.
    """
    try:
        values = [int(word) for word in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of whole numbers; write 8,16,32") from None
    if bad := [value for value in values if value < 1]:
        raise argparse.ArgumentTypeError(f"{bad[0]} must be at least 1")
    return values


def readable(row: Mapping[str, Any]) -> dict[str, str]:
    """The columns that people read, as text."""
    return {
        "clip": f"{row['frames']}x{row['size']}",
        "attention": row["attention"],
        "parameters": f"{row['parameters'] / 1e6:.2f}M",
        "GMACs": f"{row['gmacs']:.2f}",
        "ratio": f"{row['ratio']:.3f}",
        "scores": f"{row['attention_share']:.1%}",
        "saved MiB": f"{row['activation_mib']:,.0f}",
    }


def cost_table(rows: Sequence[Mapping[str, Any]], title: str) -> Table:
    """The rows as a table for the terminal, with a line between clips."""
    table = Table(title=title, title_justify="left")
    for column in readable(rows[0]):
        name = column in ("clip", "attention")
        table.add_column(column, justify="left" if name else "right", no_wrap=True, overflow="fold" if name else "crop")
    for row, following in zip(rows, [*rows[1:], None], strict=True):
        ends = following is not None and (row["frames"], row["size"]) != (following["frames"], following["size"])
        table.add_row(*readable(row).values(), end_section=ends)
    return table


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
        for axis in dict.fromkeys(point["axis"] for point in found):
            places = [f"{point['beyond']} {axis} at {point['at']}" for point in found if point["axis"] == axis]
            lines.append(f"{cheaper} costs less than {dearer} from {', '.join(places)}")
    return lines


def read_accuracy(path: str) -> dict[str, dict[str, tuple[float, float]]]:
    """Set -> scheme -> accuracy and half its interval (0 where the file gives none).

    Raises:
        ValueError: the columns `attention` and `top1` are missing, or an accuracy is not within 0 and 1.
    """
    with open(path, newline="") as file:
        lines = list(csv.DictReader(file))
    if not lines or not {"attention", "top1"} <= lines[0].keys():
        raise ValueError(f"{path} must have the columns attention and top1 (and may have set and half_interval)")
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for line in lines:
        top1, spread = float(line["top1"]), float(line.get("half_interval") or 0)
        if not 0 <= top1 <= 1:
            raise ValueError(f"{path}: top1={top1} of {line['attention']} is not a share; write 0.78 for 78%")
        found.setdefault(line.get("set") or "accuracy", {})[line["attention"]] = (
            top1,
            0 if spread != spread else spread,
        )
    return found


def draw(rows: Rows, folder: Path, name: str, accuracy: Mapping[str, Mapping[str, tuple[float, float]]]) -> list[Path]:
    """Cost against frames and against resolution, the parts of the first and last clip, accuracy against cost."""
    from vidattn.plots.costs import plot_costs
    from vidattn.plots.pareto import Point, plot_pareto
    from vidattn.plots.parts import plot_parts

    folder.mkdir(parents=True, exist_ok=True)
    schemes = list(dict.fromkeys(row["attention"] for row in rows))
    frames = list(dict.fromkeys(row["frames"] for row in rows))
    sizes = list(dict.fromkeys(row["size"] for row in rows))
    figures = {}
    if len(frames) > 1:
        panels = {
            f"GMACs per clip of {size} px": {
                scheme: {row["frames"]: row["gmacs"] for row in rows
                         if (row["attention"], row["size"]) == (scheme, size)} for scheme in schemes
            } for size in sizes
        }  # fmt: skip
        figures["frames"] = plot_costs(panels, "frames", f"{name}: cost against length", schemes)
    if len(sizes) > 1:
        panels = {
            f"GMACs per clip of {length} frames": {
                scheme: {row["size"]: row["gmacs"] for row in rows
                         if (row["attention"], row["frames"]) == (scheme, length)} for scheme in schemes
            } for length in frames
        }  # fmt: skip
        figures["resolution"] = plot_costs(panels, "height and width, px", f"{name}: cost against resolution", schemes)
    ends = dict.fromkeys([(rows[0]["frames"], rows[0]["size"]), (rows[-1]["frames"], rows[-1]["size"])])
    parts = {
        f"{length}x{size}": {row["attention"]: parts_of(row) for row in rows
                             if (row["frames"], row["size"]) == (length, size)} for length, size in ends
    }  # fmt: skip
    figures["parts"] = plot_parts(
        parts, "GMACs per clip", f"{name}: where the multiply-accumulates go; behind the bars, the share of scores "
        "and sums", "scores and sums"
    )  # fmt: skip
    costs = {row["attention"]: row["gmacs"] for row in rows[: len(schemes)]}
    known = {title: {scheme: Point(costs[scheme], *values) for scheme, values in points.items() if scheme in costs}
             for title, points in accuracy.items()}  # fmt: skip
    if any(known.values()):
        label = f"GMACs per clip of {frames[0]}x{sizes[0]}, {name}"
        figures["pareto"] = plot_pareto(known, label, "accuracy against cost")
    paths = []
    for title, figure in figures.items():
        paths.append(folder / f"{title}.png")
        figure.savefig(paths[-1], dpi=110)
    return paths


def parts_of(row: Mapping[str, Any]) -> dict[str, float]:
    """GMACs by part, by the names that a figure has."""
    names = {"patch_embedding": "patches", "projections": "projections", "attention": "scores and sums", "mlp": "MLP",
             "convolution": "convolution", "head": "head"}  # fmt: skip
    return {label: row[f"{part}_macs"] / 1e9 for part, label in names.items()}
