"""Something-Something v2 (https://arxiv.org/abs/1706.04261): its JSON lists, and the answers to its test list."""

import os
from pathlib import Path

from vidattn.data.lists.row import Listing, Row, bad_rows, parse_json


def read(source: Path, text: str, root: Path) -> Listing:
    """`[{"id": "78687", "template": "Holding [something]", ...}]`; test lists have only ids. Clips are `{id}.webm`.

    The official class names are the templates without brackets.
    """
    rows, bad = [], []
    for number, entry in enumerate(parse_json(source, text), start=1):
        where = f"entry {number}: {entry!r}"
        if not isinstance(entry, dict) or "id" not in entry or not isinstance(entry.get("template"), str | None):
            bad.append(where)
            continue
        template = entry.get("template")
        labels = (template.replace("[", "").replace("]", ""),) if template else ()
        rows.append(Row(where, os.path.join(root, f"{entry['id']}.webm"), labels))
    if bad:
        raise bad_rows(source, bad, '`{"id": ..., "template": ...}`')
    return Listing(rows)


def read_answers(source: Path, text: str, root: Path) -> Listing:
    """`test-answers.csv`: `1420;Throwing something`."""
    rows, bad = [], []
    for number, line in enumerate(text.splitlines(), start=1):
        name, _, label = line.strip().partition(";")
        where = f"line {number}: {line!r}"
        if name.isdecimal() and label:
            rows.append(Row(where, os.path.join(root, f"{name}.webm"), (label,)))
        elif line.strip():
            bad.append(where)
    if bad:
        raise bad_rows(source, bad, "`id;class name`")
    return Listing(rows)
