"""What a step of pre-training costs, for `vidattn flops` of a configuration of one."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from vidattn.commands.task_costs import cost_row, cost_table
from vidattn.commands.task_on_meta import task_on_meta
from vidattn.training.masked_prediction import MaskedPrediction


def painting_rows(path: str, frames: int, height: int, width: int) -> list[dict[str, Any]]:
    """A row for the network on what it sees of a clip and one for what paints the rest, forward, in plain numbers;
    none where `path` is not the YAML, or the folder, of a pre-training by painting.

    Args:
        path: what `vidattn flops` was asked about.
        frames: of a clip.
        height: in pixels.
        width: in pixels.

    Raises:
        ValueError: the task cannot be built; the message says why.
    """
    task = task_on_meta(path, MaskedPrediction)  # type: ignore[type-abstract]
    if task is None:
        return []
    whole = task.network.features_macs(frames, height, width).total
    grid = task.config.grid(frames, height, width)
    keep = task.mask.keep(grid, [0])
    seen = task.seen(keep, grid)
    tokens = keep.tokens(grid).shape[1] if seen.leaves_out else grid.num_video_tokens
    encoder, painter = (part.total for part in task.macs(frames, height, width))
    rows = [
        (f"network, on {tokens} of {grid.num_video_tokens} tokens", encoder),
        ("what paints the rest", painter),
        ("step, forward", encoder + painter),
    ]
    return [cost_row("pre-training", name, macs, whole) for name, macs in rows]


def painting_table(rows: Sequence[Mapping[str, Any]], title: str) -> Table:
    """The rows of `painting_rows` for the terminal."""
    return cost_table(rows, title, "of the whole clip's")
