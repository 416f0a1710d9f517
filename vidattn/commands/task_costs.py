"""The costs of a task's parts as rows and as a table, for `vidattn flops`."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from vidattn.tables import rich_table


def cost_row(task: str, part: str, macs: int, whole: int) -> dict[str, Any]:
    """A part of a task in plain numbers, its share that of `whole` multiply-accumulates."""
    return {"row": f"{task}: {part}", "macs": macs, "flops": 2 * macs, "share": round(macs / whole, 6)}


def cost_table(rows: Sequence[Mapping[str, Any]], title: str, share_of: str) -> Table:
    """Rows of `cost_row` of one task for the terminal; with a column of `parameters` where rows have that.

    Args:
        rows: of the task's parts.
        title: above them.
        share_of: heads the column of shares.
    """
    cells = []
    for row in rows:
        cell = {
            "": row["row"].partition(": ")[2],
            "GMACs": f"{row['macs'] / 1e9:,.3f}",
            "GFLOPs": f"{row['flops'] / 1e9:,.3f}",
            share_of: f"{row['share']:.1%}",
        }
        if "parameters" in row:
            cell["parameters"] = f"{row['parameters']:,}" if row["parameters"] else ""
        cells.append(cell)
    return rich_table(cells, title)
