"""The official CSV of Kinetics-400, -600 and -700: `label,youtube_id,time_start,time_end,split`."""

import csv
import os
from pathlib import Path

from vidattn.data.lists.class_names import spelling
from vidattn.data.lists.row import Listing, ManifestError, Row, bad_rows, csv_rows, videos_below
from vidattn.data.segment import Segment


def read(source: Path, text: str, root: Path) -> Listing:
    """Clips are found anywhere below `root` as `{id}_{start:06d}_{end:06d}` or, uncut, as `{id}` (then the segment is
    kept). The test list has no labels; `is_cc` and other columns are left aside."""
    found: dict[str, list[str]] = {}
    for path in videos_below(root):
        found.setdefault(Path(path).stem, []).append(path)

    rows: list[Row] = []
    bad = []
    table = csv.DictReader(text.splitlines())
    columns = table.fieldnames or []
    near = [column for column in columns if column.strip().lower() in ("label", "labels", "class")]
    if near and "label" not in columns:
        raise ManifestError(f"{source} has the columns {','.join(columns)}; expected label for {near[0]!r}: rename it")
    for where, line in csv_rows(source, table):
        name = line["youtube_id"]
        label = line.get("label")
        labels = (label,) if label else ()
        try:
            # Some copies write the times as floats.
            start, end = float(line["time_start"]), float(line["time_end"])
        except (KeyError, TypeError, ValueError):
            bad.append(where)
            continue
        if not name or not 0 <= start < end or ("label" in line and not label):
            bad.append(where)
            continue
        trimmed = f"{name}_{int(start):06d}_{int(end):06d}"
        if trimmed in found:
            rows.append(Row(where, _in_class_folder(found[trimmed], label), labels))
        elif name in found:
            rows.append(Row(where, _in_class_folder(found[name], label), labels, Segment(start, end)))
        else:
            rows.append(Row(where, os.path.join(root, label or "", f"{trimmed}.mp4"), labels))
    if bad:
        raise bad_rows(source, bad, "`label,youtube_id,time_start,time_end,...` with 0 <= time_start < time_end")
    return Listing(rows)


def _in_class_folder(paths: list[str], label: str | None) -> str:
    """Of files with one name, that in the folder of its class (with spaces or underscores); else the first."""
    return next((path for path in paths if spelling(Path(path).parent.name) == spelling(label or "")), paths[0])
