"""What each image block costs as maps grow: multiply-accumulates, time and memory."""

import csv
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
from rich.progress import track
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from vidattn.attention.base import ImageAttention
from vidattn.attention.image_table import image_table
from vidattn.attention.scheme import IMAGE_STEPS, Step, parse_scheme
from vidattn.bench.timing import interleaved
from vidattn.mistakes import Mistake
from vidattn.tables import markdown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HIGHLIGHT = [
    "map",
    "relative",
    "graph",
    "image_axial",
    "swin",
    "image_neighborhood",
    "pvt(8)",
    "image_linear",
    "lka",
    "cbam",
]
SPECS = [
    {"pvt": "pvt(8)", "dat": "dat(1,9,8)"}.get(name, name)  # as their papers have them on the largest map
    for name in IMAGE_STEPS
]


class Cell(NamedTuple):
    """One block on one size of map."""

    block: str
    side: int
    macs: int
    forward_ms: float | None
    step_ms: float | None
    forward_mib: float | None
    step_mib: float | None
    note: str


def measured_cells(
    blocks: Sequence[str],
    sides: Sequence[int],
    dim: int = 64,
    batch_size: int = 1,
    rounds: int = 5,
    max_seconds: float = 8.0,
    max_gib: float = 4.0,
) -> list[Cell]:
    """A cell for each block and side, on the GPU if there is one; one that would cost more than allowed says so.

    Args:
        blocks: specs of image blocks.
        sides: height and width of the maps.
        dim: channels; blocks with heads have their default of dim / 64.
        batch_size: maps at once.
        rounds: runs of each; times are the best of them, as other work on the machine can only add.
        max_seconds: no training step longer than this is tried.
        max_gib: nor one that takes more memory.

    Raises:
        Mistake: a spec is not that of an image block.
    """
    steps = [image_step(spec) for spec in blocks]
    device = "cuda" if torch.cuda.is_available() else "cpu"
    cells: list[Cell] = []
    for spec, step in track([*zip(blocks, steps, strict=True)], description="Timing"):
        block: ImageAttention = step.turns[0](dim, *step.args).to(device).train()  # type: ignore[assignment]
        last: Cell | None = None
        for side in sorted(sides):
            note = _too_much(last, block.macs(side, side).total * batch_size, max_seconds, max_gib)
            if note:
                cells.append(Cell(spec, side, block.macs(side, side).total, None, None, None, None, note))
                continue
            x = torch.randn(batch_size, dim, side, side, device=device)
            last = measured_cell(spec, block, x, rounds)
            cells.append(last)
    return cells


LEGEND = """What one pixel sees of each block. N is the number of pixels, C of channels, k a window's side, w a window's
or stripe's width, R and r reductions; costs leave out the projections, `O(N C^2)` in all."""


def write_cells(cells: list[Cell], title: str, folder: Path) -> None:
    """Write `image_blocks.csv`, `.md` and `.png` into a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "image_blocks.csv", "w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(Cell._fields)
        rows.writerows(cells)
    (folder / "image_blocks.md").write_text(
        f"{title}\n\n{cells_markdown(cells)}\n\n{LEGEND}\n\n{markdown(image_table())}\n"
    )
    cells_figure(cells, title).savefig(folder / "image_blocks.png", dpi=110)


def image_step(spec: str) -> Step:
    """The image block that `spec` names.

    Raises:
        ValueError: it names something else.
    """
    step, *more = parse_scheme(spec).steps
    if more or not issubclass(step.turns[0], ImageAttention):
        raise Mistake(f"blocks: {spec!r} is no image block; choose from {', '.join(IMAGE_STEPS)}")
    return step


def measured_cell(spec: str, block: ImageAttention, x: Tensor, rounds: int) -> Cell:
    """Time and memory of the block on these maps."""

    def forward() -> None:
        with torch.no_grad():
            block(x)

    def step() -> None:
        block(x.requires_grad_()).square().mean().backward()

    seconds = {name: min(times) for name, times in interleaved({"f": forward, "s": step}, rounds).items()}
    macs = block.macs(*x.shape[2:]).total
    low, high = (peak_mib(run, x.device) for run in (forward, step))
    return Cell(spec, x.shape[-1], macs, 1e3 * seconds["f"], 1e3 * seconds["s"], low, high, "")


def peak_mib(run: Callable[[], None], device: torch.device) -> float:
    """The most memory that `run` holds at once beyond what was there before, in MiB."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        run()
        return (torch.cuda.max_memory_allocated() - before) / 2**20
    os.environ.setdefault("KINETO_LOG_LEVEL", "6")  # it tells of each start and stop otherwise
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
        run()
    # Each allocation and release in order; the public tables hold sums per operator only.
    events = (event for event in record.profiler.kineto_results.events() if event.name() == "[memory]")
    held = most = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        held += event.nbytes()
        most = max(most, held)
    return most / 2**20


def cells_markdown(cells: list[Cell]) -> str:
    """Three tables, of multiply-accumulates, times and memory: a row for each block, a column for each side."""
    parts: dict[str, Callable[[Cell], str]] = {
        "GMACs of a forward": lambda cell: f"{cell.macs / 1e9:.3g}",
        "ms of a forward / of a training step": lambda cell: cell.note or f"{cell.forward_ms:.3g} / {cell.step_ms:.3g}",
        "Peak MiB of a forward / of a training step": lambda cell: (
            "" if cell.note else f"{cell.forward_mib:.3g} / {cell.step_mib:.3g}"
        ),
    }
    return "\n\n".join(f"{title}:\n\n{_table(cells, text)}" for title, text in parts.items())


def _table(cells: list[Cell], text: Callable[[Cell], str]) -> str:
    sides = sorted({cell.side for cell in cells})
    by_place = {(cell.block, cell.side): cell for cell in cells}
    head = ["block", *(f"{side}x{side}" for side in sides)]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for block in dict.fromkeys(cell.block for cell in cells):
        lines.append(f"| `{block}` | {' | '.join(text(by_place[block, side]) for side in sides)} |")
    return "\n".join(lines)


def _too_much(last: Cell | None, macs: int, max_seconds: float, max_gib: float) -> str:
    """Why not to try a map of `macs`, judged by the map before it; empty where nothing speaks against it."""
    if last is None or last.step_ms is None or last.step_mib is None:
        return ""
    growth = macs / max(last.macs, 1)
    seconds, gib = growth * last.step_ms / 1e3, growth * last.step_mib / 1024
    if seconds > max_seconds:
        return f"not run: about {seconds:.0f} s a step"
    return f"not run: about {gib:.0f} GiB" if gib > max_gib else ""


def cells_figure(cells: Sequence[Cell], title: str) -> "Figure":
    """Time and memory over the size of the map, a line for each block."""
    from vidattn.plots.costs import plot_costs

    costs = {"forward, ms": "forward_ms", "training step, ms": "step_ms", "training step, peak MiB": "step_mib"}
    panels: dict[str, dict[str, dict[int, float]]] = {label: {} for label in costs}
    for cell in cells:
        for label, field in costs.items():
            if (value := getattr(cell, field)) is not None:
                panels[label].setdefault(cell.block, {})[cell.side**2] = value
    blocks = list(dict.fromkeys(cell.block for cell in cells))
    named = [block for block in HIGHLIGHT if block in blocks] if len(blocks) > len(HIGHLIGHT) else blocks
    return plot_costs(panels, "pixels of the map", title, named)
