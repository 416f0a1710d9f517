"""Our own list, which says all that a `Row` can: `vidattn check` writes it."""

import csv
import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from vidattn.data.lists.row import Listing, Row, bad_rows, csv_rows
from vidattn.data.segment import Segment

COLUMNS = ("path", "labels", *Segment._fields)
BETWEEN = ";"  # the labels of one video; a name that holds it stands in quotes


def read(source: Path, text: str, root: Path) -> Listing:
    """CSV with the columns `COLUMNS`; empty cells say nothing. Several labels stand as `3;17`, and one label in a list
    of that kind as `3;`."""
    rows, bad, multi_label = [], [], False
    table = csv.DictReader(io.StringIO(text, newline=""))  # not splitlines(): a name may hold a line separator
    for where, line in csv_rows(source, table):
        try:
            segment = Segment.of_cells({name: line[name] for name in Segment._fields})
            labels = next(csv.reader([line["labels"]], delimiter=BETWEEN), [])
            multi_label |= len(labels) > 1
            path = os.path.join(root, line["path"])
            rows.append(Row(where, path, tuple(filter(None, labels)), segment))
        except (AttributeError, TypeError, ValueError, csv.Error):
            bad.append(where)
    if bad:
        raise bad_rows(source, bad, f"`{','.join(COLUMNS)}`, times in seconds, frames whole")
    return Listing(rows, multi_label=multi_label)


def write(path: Path, rows: Iterable[Row], multi_label: bool) -> None:
    """The list that `read` reads back, as a multi-label one too, even where no row has several labels.

    In UTF-8; file names that are not stay the bytes that they are.
    """
    with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for row in rows:
            writer.writerow([row.path, _cell(row.labels, multi_label), *row.segment])


def _cell(labels: Sequence[str], multi_label: bool) -> str:
    cell = io.StringIO()
    csv.writer(cell, delimiter=BETWEEN, lineterminator="").writerow(labels)
    return cell.getvalue() + (BETWEEN if multi_label and len(labels) == 1 else "")
