"""Our own list, which says all that a `Row` can: `vidattn check` writes it."""

import csv
import os
from collections.abc import Iterable
from pathlib import Path

from vidattn.data.lists.row import Listing, Row, bad_rows

COLUMNS = ("path", "labels", "start", "end", "start_frame", "end_frame")
BETWEEN = ";"  # several labels of one video


def read(source: Path, text: str, root: Path) -> Listing:
    """CSV with the columns `COLUMNS`; empty cells say nothing. Several labels stand as `3;17`."""
    rows, bad = [], []
    table = csv.DictReader(text.splitlines())
    for line in table:
        where = f"line {table.line_num}: {','.join(str(value) for value in line.values())!r}"
        try:
            seconds = [float(line[name]) if line[name] else None for name in ("start", "end")]
            frames = [int(line[name]) if line[name] else None for name in ("start_frame", "end_frame")]
            labels = tuple(line["labels"].split(BETWEEN)) if line["labels"] else ()
            rows.append(Row(where, os.path.join(root, line["path"]), labels, *seconds, *frames))  # type: ignore[arg-type]
        except (AttributeError, TypeError, ValueError):
            bad.append(where)
    if bad:
        raise bad_rows(source, bad, f"`{','.join(COLUMNS)}`, times in seconds, frames whole")
    return Listing(rows, multi_label=any(len(row.labels) > 1 for row in rows))


def write(path: Path, rows: Iterable[Row]) -> None:
    """The list that `read` reads back."""
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for row in rows:
            writer.writerow([row.path, BETWEEN.join(row.labels), *row[3:]])
