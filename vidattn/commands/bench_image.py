"""`vidattn bench-image`: what each image block costs as maps grow."""

from pathlib import Path

import torch

from vidattn.bench.image import SPECS, cells_markdown, measured_cells, write_cells
from vidattn.checks import check_positive
from vidattn.commands.options import call
from vidattn.console import plain_console
from vidattn.writable import check_place


def bench_image(words: list[str]) -> None:
    """`vidattn bench-image`, with the words behind it."""
    call(run, words, "bench-image")


def run(
    blocks: list[str] = SPECS,
    sides: list[int] = [14, 28, 56, 112],  # noqa: B006
    dim: int = 64,
    batch_size: int = 1,
    rounds: int = 5,
    max_seconds: float = 8.0,
    max_gib: float = 4.0,
    threads: int | None = None,
    out: str = "outputs/bench_image",
) -> None:
    """Time image blocks on square maps, fp32, on this CPU or GPU; write a table (CSV, Markdown) and a plot.

    Times are the best of some rounds, as other work on the machine can only add: of a forward without gradients, and
    of a training step (forward and backward). Memory is the peak
    of what a call allocates beyond its input and the weights, workspace included: on CPU from the profiler's record
    of every allocation, on a GPU from the allocator. A cell that would take longer or more than allowed, as the next
    smaller map foretells, is left out and says so.

    Args:
        blocks: specs as in a scheme; all image blocks by default.
        sides: height and width of the maps.
        dim: channels; blocks with heads have their default of dim / 64.
        batch_size: maps at once.
        rounds: runs of each.
        max_seconds: no training step longer than this is tried.
        max_gib: nor one that takes more memory.
        threads: CPU threads; all by default.
        out: folder for the files.

    Raises:
        ValueError: a number is below 1, a block is unknown, or the folder cannot be written to.
    """
    check_positive(dim=dim, batch_size=batch_size, rounds=rounds, sides=min(sides, default=0))
    check_place(Path(out), folder=True)
    if threads:
        torch.set_num_threads(threads)
    cells = measured_cells(blocks, sides, dim, batch_size, rounds, max_seconds, max_gib)
    where = "cuda" if torch.cuda.is_available() else f"cpu, {torch.get_num_threads()} thread(s)"
    title = f"Image blocks, {dim} channels, batch {batch_size}, fp32, {where}"
    write_cells(cells, title, Path(out))
    plain_console().print(f"{title}\n\n{cells_markdown(cells)}\nwrote {out}/image_blocks.csv, .md and .png")
