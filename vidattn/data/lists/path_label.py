"""`path label` lists: those of SlowFast, TimeSformer and VideoMAE, mmaction2's of videos, and most home-made ones."""

import csv
import os
import re
from pathlib import Path

from vidattn.data.lists.row import EXTENSION, VIDEO_EXTENSIONS, Listing, Row, bad_rows, is_video

# The path ends with a video extension; what follows is the label. So both may hold spaces and commas.
_PATH_LABEL = re.compile(rf"^(?P<path>.+{EXTENSION})(?:\s*[\s,]\s*(?P<label>[^\s,].*))?$", re.IGNORECASE)
_HEADER = re.compile(r"^(path|video|file|filename)\s*[\s,]\s*label$", re.IGNORECASE)
_NUMBERS = re.compile(r"\d+([\s,]+\d+)+")


def read(source: Path, text: str, root: Path) -> Listing:
    """A path and a label with spaces, a comma or a tab between. Several numbers as label mean several classes.

    >>> listing = read(Path("list.txt"), "a.mp4 3 17\\nb.mp4 5\\n", Path("videos"))
    >>> [(row.path, row.labels) for row in listing.rows], listing.multi_label
    ([('videos/a.mp4', ('3', '17')), ('videos/b.mp4', ('5',))], True)
    """
    rows: list[Row] = []
    bad = []
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip()
        if not line or (not rows and _HEADER.match(line)):
            continue
        where = f"line {number}: {line!r}"
        path, label = split(line)
        if path is None:
            bad.append(where)
        elif label and _NUMBERS.fullmatch(label):
            rows.append(Row(where, os.path.join(root, path), tuple(re.split(r"[\s,]+", label))))
        else:
            rows.append(Row(where, os.path.join(root, path), (label,) if label else ()))
    if bad:
        expected = (
            f"`path label` with a space, comma or tab between, and a path that ends in one of "
            f"{', '.join(VIDEO_EXTENSIONS)}"
        )
        raise bad_rows(source, bad, expected)
    return Listing(rows, multi_label=any(len(row.labels) > 1 for row in rows))


def split(line: str) -> tuple[str | None, str | None]:
    """
    >>> split("my clips/a b.mp4 riding a bike")
    ('my clips/a b.mp4', 'riding a bike')
    >>> split('"one, two.MP4",3'), split("a.mp4"), split("a.txt 3")
    (('one, two.MP4', '3'), ('a.mp4', None), (None, None))
    """
    if '"' in line:
        for delimiter in ",\t ":
            fields = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True))
            if len(fields) <= 2 and is_video(fields[0]):
                return fields[0], fields[1].strip() if len(fields) == 2 else None
    match = _PATH_LABEL.match(line)
    return (match["path"], match["label"]) if match else (None, None)
