"""Rows of plain values as CSV, JSON, Markdown, or a table for the terminal."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from vidattn.mistakes import Mistake

Row = Mapping[str, Any]


def write_rows(rows: Sequence[Row], path: str | Path) -> Path:
    """Write the rows, all of the same keys, as what the file's ending says; return the path.

    Raises:
        ValueError: the ending is none of `.csv`, `.json` and `.md`.
    """
    path = Path(path)
    if path.suffix not in (".csv", ".json", ".md"):
        raise Mistake(f"{path} must end in .csv, .json or .md")
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".json":
        path.write_text(json.dumps([dict(row) for row in rows], indent=2) + "\n")
    elif path.suffix == ".md":
        path.write_text(markdown(rows) + "\n")
    else:
        with path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
            table = csv.DictWriter(file, list(rows[0]) if rows else [], lineterminator="\n")
            table.writeheader()
            table.writerows(rows)
    return path


def markdown(rows: Sequence[Row]) -> str:
    """A Markdown table; a bar within a value is escaped.

    >>> print(markdown([{"attention": "space|time", "GMACs": 1.5}]))
    | attention | GMACs |
    |---|---|
    | space\\|time | 1.5 |
    """
    head = list(rows[0]) if rows else []
    lines = [head, *([str(value).replace("|", "\\|") for value in row.values()] for row in rows)]
    text = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([text[0], "|" + "---|" * len(head), *text[1:]])


def rich_table(rows: Sequence[Mapping[str, str]], title: str) -> Table:
    """The rows as a table for the terminal, with a line wherever the column `clip` changes."""
    table = Table(title=title, title_justify="left")
    for column in rows[0]:
        left = column in ("clip", "attention", "kernel", "operator")
        table.add_column(
            column, justify="left" if left else "right", no_wrap=column in ("attention", "operator"), overflow="fold"
        )
    for row, following in zip(rows, [*rows[1:], {}], strict=True):
        table.add_row(*row.values(), end_section=row.get("clip") != following.get("clip"))
    return table
