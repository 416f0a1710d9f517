"""`vidattn flops`: what one network costs, as a table and as files."""

import argparse
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from vidattn.bench.side_by_side import side_by_side
from vidattn.checks import check_positive
from vidattn.commands.detecting_cost import detecting_rows, detecting_table
from vidattn.commands.options import Parser, check_files, pixels, refuse
from vidattn.commands.painting_cost import painting_rows, painting_table
from vidattn.commands.teaching_cost import teaching_rows, teaching_table
from vidattn.comparison.source import find_source, schemed_of
from vidattn.console import plain_console
from vidattn.flops.agreement import CountError
from vidattn.flops.counting import BlockCount, Count, count
from vidattn.flops.measuring import measure
from vidattn.flops.module_rows import module_rows, shape, text
from vidattn.flops.published import Figure, figures
from vidattn.flops.weightless import network_on_meta
from vidattn.models.lean import Lean
from vidattn.models.network import NetworkConfig
from vidattn.models.presets import PRESETS, Schemed
from vidattn.tables import rich_table, write_rows

NAMES = {
    "patch_embedding": "patch embedding",
    "projections": "attention projections",
    "attention": "attention scores and values",
    "mlp": "MLP",
    "convolution": "convolution",
    "head": "head",
}
TIMED = ("milliseconds", "fastest", "slowest", "clips_per_second", "peak_mib", "kernel", "share_of_peak")


def flops(words: list[str]) -> None:
    """`vidattn flops`, with the words behind it."""
    parser = Parser(
        prog="vidattn flops",
        description="Parameters, multiply-accumulates and activation memory of a network: counted in closed form, and "
        "measured on the meta device, where both must agree to the unit.",
        epilog="example: vidattn flops time+space --frames 16 --size 448; vidattn flops configs/k400_hr.yaml",
    )
    parser.add_argument(
        "network",
        nargs="?",
        help=f"a preset ({', '.join(PRESETS)}), a scheme such as time+space (at ViT-B/16), a YAML of vidattn fit, a "
        "run's folder or a checkpoint",
    )
    parser.add_argument(
        "--input",
        type=shape,
        metavar="1,3,8,224,224",
        help="measure any module instead: NETWORK is where to import what makes it, such as "
        "torchvision.models.video.swin3d_t, and this the shape of what it takes",
    )
    parser.add_argument("--frames", type=int, help="of a clip; by default those that the network is made for")
    parser.add_argument("--size", type=pixels, help="of a clip, as in 224 or 224x320 (height x width); likewise")
    parser.add_argument("--batch", type=int, default=1, help="clips of a training step, for the memory (default 1)")
    parser.add_argument("--clips", type=int, help="clips of a prediction; by default the YAML's, or 1")
    parser.add_argument("--crops", type=int, help="crops of each clip of a prediction; by default the YAML's, or 3")
    parser.add_argument("--dtype", choices=("float32", "bfloat16", "float16"), default="float32", help="of activations")
    parser.add_argument("--measure", action="store_true", help="also time and memory on this machine")
    parser.add_argument("--explain", action="store_true", help="published figures, from our counts: how they counted")
    parser.add_argument("--csv", metavar="F.csv", help="write the table into this file")
    parser.add_argument("--json", metavar="F.json", help="likewise")
    parser.add_argument("--markdown", metavar="F.md", help="likewise")
    options = parser.parse_args(words)
    if options.network is None and not options.explain:
        parser.error("name a network, such as timesformer or time+space, or give --explain")
    if options.input:
        ignored = ("frames", "size", "batch", "clips", "crops", "dtype", "measure")
        refuse(parser, options, ignored, "does not go with --input, which has the whole shape, and counts fp32")
    check_files(options)
    run(options)


def run(options: argparse.Namespace) -> None:
    """Count, print and write what the options ask for."""
    console = plain_console()
    rows: list[dict[str, Any]] = []
    if options.network is not None and options.input:
        rows = module_rows(options.network, options.input)
        title = f"{options.network} on {' x '.join(map(str, options.input))}, {rows[0]['parameters']:,} parameters"
        console.print(rich_table(text(rows), title))
        console.print("by measurement; 1 MAC = 2 FLOPs; elements: of the largest tensor of each call")
    elif options.network is not None:
        source = find_source(options.network, options.frames, options.size)
        clips = source.clips if options.clips is None else options.clips
        crops = source.crops if options.crops is None else options.crops
        check_positive(clips=clips, crops=crops)
        config, dtype = source.config, getattr(torch, options.dtype)
        height, width = options.size or (None, None)
        cost = count(config, options.frames, height, width, options.batch, dtype)
        clip = f"{cost.frames} x {cost.height} x {cost.width}"
        title = f"{source.name}: clips of {clip}, {config.num_classes} classes. 1 MAC = 2 FLOPs"
        rows = cost_rows(cost, clips, crops)
        console.print(cost_table(rows, title))
        recomputed = "; blocks are recomputed (gradient checkpointing)" if config.gradient_checkpointing else ""
        console.print(
            f"saved: what a training step with {cost.batch} clip(s) in {cost.dtype} keeps for its backward pass, "
            f"weights not included, attention fused{recomputed}"
        )
        print_lean(config, cost, console)
        if painting := painting_rows(options.network, cost.frames, cost.height, cost.width):
            console.print(painting_table(painting, f"A step of pre-training, forward, a clip of {clip}"))
            rows += painting
        if teaching := teaching_rows(options.network, cost.frames, cost.height, cost.width):
            console.print(teaching_table(teaching, f"A step with a teacher, forward, a clip of {clip}"))
            rows += teaching
        if detecting := detecting_rows(options.network, cost.frames, cost.height, cost.width):
            console.print(detecting_table(detecting, f"A detector, forward, a clip of {clip}"))
            rows += detecting
        if options.measure:
            config = schemed_of(config, Path(source.name))
            config = replace(config, num_frames=cost.frames, image_size=(cost.height, cost.width))
            timed = time_here(config, options.batch, console)
            console.print(timed_table(timed, clip))
            rows += [{"row": f"{line['run']}, measured here", **line} for line in timed]
    if options.explain:
        explained = [figure_row(figure) for figure in figures()]
        console.print(explain_table(explained))
        rows += explained
    columns = dict.fromkeys(name for row in rows for name in row)
    filled = [{name: row.get(name, "") for name in columns} for row in rows]
    written = [write_rows(filled, path) for path in (options.csv, options.json, options.markdown) if path]
    if written:
        console.print(f"wrote {', '.join(map(str, written))}")


def print_lean(config: NetworkConfig, cost: Count, console: Console) -> None:
    """A line on what a clip costs when the network answers, where that is less than in training; measured as well.

    Raises:
        CountError: the declared cost is not the measured one.
    """
    form = Lean(network_on_meta(config))
    clip = (cost.frames, cost.height, cost.width)
    declared, measured = form.macs(*clip).total, measure(form, torch.empty(1, 3, *clip, device="meta")).macs
    if declared != measured:
        raise CountError(f"the lean form declares {declared:,} MACs and does {measured:,}; correct its macs()")
    if declared < cost.macs:
        unit, scale = ("G", 1e9) if cost.macs >= 1e9 else ("M", 1e6)
        console.print(
            f"lean form, in which vidattn answers (vidattn.lean): {declared / scale:,.3f} {unit}MACs a clip, "
            f"{1 - declared / cost.macs:.1%} fewer"
        )


def cost_rows(cost: Count, clips: int, crops: int) -> list[dict[str, Any]]:
    """A row for each part, for each run of equal blocks, for a clip and for a prediction, in plain numbers."""
    clip = {"attention": cost.attention, "clip": f"{cost.frames}x{cost.height}x{cost.width}"}

    def row(name: str, macs: int, parameters: int | str = "", activation_bytes: int | str = "") -> dict[str, Any]:
        share = round(macs / cost.macs, 6)
        return {"row": name, **clip, "macs": macs, "flops": 2 * macs, "share": share, "parameters": parameters,
                "activation_bytes": activation_bytes}  # fmt: skip

    rows = [row(NAMES[part], macs) for part, macs in asdict(cost.parts).items()]
    for block, places in alike(cost.blocks).items():
        where = f"block {places[0]}" if len(places) == 1 else f"each of blocks {ranges(places)}"
        runs = f", {block.runs} times" if block.runs > 1 else ""
        rows.append(row(f"{where}: {block.name}{runs}", block.macs, block.parameters, block.activation_bytes))
    rows.append(row("clip", cost.macs, cost.parameters, cost.activation_bytes))
    rows.append(row(f"prediction, {clips} clip(s) x {crops} crop(s)", clips * crops * cost.macs))
    return rows


def alike(blocks: Sequence[BlockCount]) -> dict[BlockCount, list[int]]:
    """Blocks that cost the same, with their places."""
    places: dict[BlockCount, list[int]] = {}
    for index, block in enumerate(blocks):
        places.setdefault(block, []).append(index)
    return places


def ranges(numbers: Sequence[int]) -> str:
    """Rising numbers, neighbours joined.

    >>> ranges([0, 1, 2, 5, 7, 8])
    '0-2, 5, 7-8'
    """
    text = []
    for _, group in itertools.groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
        run = [number for _, number in group]
        text.append(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]))
    return ", ".join(text)


def cost_table(rows: Sequence[Mapping[str, Any]], title: str) -> Table:
    """The rows of `cost_rows` for the terminal."""
    table = Table(title=title, title_justify="left")
    table.add_column("")
    unit, scale = ("G", 1e9) if max(row["macs"] for row in rows) >= 1e9 else ("M", 1e6)
    for column in (f"{unit}MACs", f"{unit}FLOPs", "share", "parameters", "saved MiB"):
        table.add_column(column, justify="right", no_wrap=True)
    ends = {len(NAMES) - 1, len(rows) - 3}  # behind the parts, and behind the blocks
    for index, row in enumerate(rows):
        saved = f"{row['activation_bytes'] / 2**20:,.1f}" if row["activation_bytes"] != "" else ""
        parameters = f"{row['parameters']:,}" if row["parameters"] != "" else ""
        cells = [
            f"{row['macs'] / scale:,.3f}",
            f"{row['flops'] / scale:,.3f}",
            f"{row['share']:.1%}",
            parameters,
            saved,
        ]
        table.add_row(row["row"], *cells, end_section=index in ends)
    return table


def time_here(config: Schemed, batch: int, console: Console) -> list[dict[str, Any]]:
    """Time and peak memory of inference and of a training step on this machine, in fp32, with random weights."""
    rows = []
    for run, training in (("inference", False), ("training step", True)):
        with console.status(f"Timing: {run}"):
            (row,) = side_by_side([config], batch, rounds=5, training=training)
        rows.append({"run": run, "batch": batch} | {name: row[name] for name in TIMED})
    return rows


def timed_table(rows: Sequence[Mapping[str, Any]], clip: str) -> Table:
    """The rows of `time_here` for the terminal."""
    where = torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU, {torch.get_num_threads()} thread(s)"
    cells = [
        {
            "": f"{row['run']}, {row['batch']} clip(s)",
            "ms": f"{row['milliseconds']:,.4g}",
            "range": f"{row['fastest']:.4g}-{row['slowest']:.4g}",
            "peak MiB": f"{row['peak_mib']:,.0f}",
            "attention": row["kernel"],
            "of peak": f"{row['share_of_peak']:.0%}",
        }
        for row in rows
    ]
    return rich_table(cells, f"{clip}, fp32, {where}; median of 5 rounds, peak beyond weights and their gradients")


def figure_row(figure: Figure) -> dict[str, str]:
    """A published figure and ours as a row of text."""
    return {
        "source": figure.source,
        "of": figure.what,
        "published": f"{figure.published} {figure.unit}",
        "ours": figure.rounded if figure.reproduced else f"{figure.rounded} (differs)",
        "how it was counted": figure.how,
    }


def explain_table(rows: Sequence[Mapping[str, str]]) -> Table:
    """The rows of `figure_row` for the terminal, with a line between sources."""
    table = Table(title="Published figures, and the same from our counts", title_justify="left")
    for column in rows[0]:
        table.add_column(column, justify="right" if column in ("published", "ours") else "left", overflow="fold")
    for row, following in zip(rows, [*rows[1:], {}], strict=True):
        table.add_row(*row.values(), end_section=row["source"] != following.get("source"))
    return table
