"""Lists of folders of pictures: mmaction2's `rawframes`, and the frame lists of SlowFast for Something-Something."""

import os
import re
from collections.abc import Collection
from pathlib import Path

from vidattn.data.lists.cells import Cell, labels_of
from vidattn.data.lists.picture_folder import holds_pictures
from vidattn.data.lists.row import Listing, Row, bad_rows, is_video, located
from vidattn.data.segment import Segment

_RAWFRAMES = re.compile(r"^(?P<path>.+?)\s+(?P<total>\d+)\s+(?P<labels>\d+(?:\s+\d+)*)$")
_NAMED = re.compile(r"^(?P<path>.+?)\s+(?P<total>\d+)\s+(?P<labels>\S.*)$")
_FORM = "`frame_dir total_frames label`"
HEADER = ("original_vido_id", "video_id", "frame_id", "path", "labels")  # the typo is the dataset's


def is_rawframes(text: str, root: Path = Path()) -> bool:
    """Whether the lines are `frame_dir total_frames label`: the first with a number as label, or all with any and the
    first the name of a folder of pictures.

    >>> is_rawframes("some/dir 120 3"), is_rawframes("some/a.mp4 120 3")
    (True, False)
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    match = _RAWFRAMES.match(lines[0]) if lines else None
    if match is not None:
        return not is_video(match["path"])
    named = [_NAMED.match(line) for line in lines]
    return bool(named and named[0] and all(named) and holds_pictures(located(root, named[0]["path"])))


def read(source: Path, text: str, root: Path, multi_label: bool = False, known: Collection[str] = ()) -> Listing:
    """mmaction2's `frame_dir total_frames label`; several numbers as labels mean several classes."""
    rows: list[Row] = []
    cells: list[Cell] = []
    bad = []
    for number, line in enumerate(text.splitlines(), start=1):
        where = f"line {number}: {line.strip()!r}"
        match = _RAWFRAMES.match(line.strip()) or _NAMED.match(line.strip())
        if match:
            rows.append(Row(where, located(root, match["path"]), (), Segment(end_frame=int(match["total"]))))
            cells.append((where, match["labels"]))
        if line.strip() and (match is None or int(match["total"]) == 0):
            bad.append(where)
    if not multi_label and len({len(cell.split()) for _, cell in cells}) == 1 and _is_row_of_numbers(cells[0][1]):
        raise bad_rows(
            source,
            [where for where, _ in cells],
            f"{_FORM}, and each row has {len(cells[0][1].split())} numbers behind the total: where a start stands "
            "before it, name the columns in a first row, path start_frame end_frame label (the first frame is 0, the "
            "end is left out); if all are labels, set data.multi_label to true",
        )
    if bad:
        raise bad_rows(source, bad, f"{_FORM}, the folder not empty")
    labels = labels_of(source, cells, multi_label, known)
    rows = [row._replace(labels=found) for row, found in zip(rows, labels, strict=True)]
    return Listing(rows, multi_label=any(len(found) > 1 for found in labels))


def _is_row_of_numbers(cell: str) -> bool:
    return re.fullmatch(r"\d+(\s+\d+)+", cell) is not None


def read_frame_list(source: Path, text: str, root: Path) -> Listing:
    """A line per frame, `original_vido_id video_id frame_id path labels`; the folder of a video's frames is the video.

    The labels are usually `""`: then the list has none.
    """
    rows: dict[str, Row] = {}
    bad = []
    for number, line in enumerate(text.splitlines()[1:], start=2):
        fields = line.split()
        if len(fields) == len(HEADER):
            path = os.path.join(root, os.path.dirname(fields[3]))
            labels = tuple(label for label in fields[4].strip('"').split(",") if label)
            rows.setdefault(fields[0], Row(f"line {number}: {line!r}", path, labels))
        elif line.strip():
            bad.append(f"line {number}: {line!r}")
    if bad:
        raise bad_rows(source, bad, f"`{' '.join(HEADER)}`")
    return Listing(list(rows.values()), multi_label=any(len(row.labels) > 1 for row in rows.values()))
