"""What a detector costs, for `vidattn flops` and `vidattn compare` of a configuration of one."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from vidattn.commands.task_costs import cost_row, cost_table
from vidattn.commands.task_on_meta import task_on_meta
from vidattn.training.detector import ActionDetector


def detecting_rows(path: str, frames: int, height: int, width: int) -> list[dict[str, Any]]:
    """A row for the network, one for the decoder and one for both, in plain numbers; none where `path` is not the YAML,
    or the folder, of a `vidattn.ActionDetector`.

    Args:
        path: what `vidattn flops` was asked about.
        frames: of a clip.
        height: in pixels.
        width: in pixels.

    Raises:
        ValueError: the task cannot be built; the message says why.
    """
    task = task_on_meta(path, ActionDetector)
    if task is None:
        return []
    network, decoder = (part.total for part in task.macs(frames, height, width))
    learnt = sum(parameter.numel() for parameter in task.decoder.parameters())
    costs = {"network": network, "decoder": decoder, "clip": network + decoder}
    return [
        cost_row("detection", name, macs, network) | {"parameters": learnt if name == "decoder" else ""}
        for name, macs in costs.items()
    ]


def detecting_table(rows: Sequence[Mapping[str, Any]], title: str) -> Table:
    """The rows of `detecting_rows` for the terminal."""
    return cost_table(rows, title, "of the network's")


def detecting_sentence(path: str, frames: int, height: int, width: int) -> str:
    """What a detector's decoder adds to the costs of any scheme; empty where `path` is of another task."""
    rows = detecting_rows(path, frames, height, width)
    if not rows:
        return ""
    return (
        f"To each, the detector's decoder adds {rows[1]['macs'] / 1e9:,.3f} GMACs on clips of {frames} x {height} x "
        f"{width}, and {rows[1]['parameters']:,} parameters."
    )
