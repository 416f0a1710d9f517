"""Our own list of boxes: a table `path,frame,x1,y1,x2,y2,label[,person]`."""

import csv
import io
import math
import os
from pathlib import Path

from vidattn.data.boxes.row import BoxListing, BoxRow
from vidattn.data.lists.row import ManifestError, bad_rows, csv_rows, located
from vidattn.data.videos.identity import absolute
from vidattn.mistakes import Mistake

_WORDS = {
    "path": "path video file filename file_name video_path clip",
    "frame": "frame frame_id frame_index frame_number",
    "second": "second seconds timestamp time",
    "x1": "x1 xmin left x1_px",
    "y1": "y1 ymin top y1_px",
    "x2": "x2 xmax right x2_px",
    "y2": "y2 ymax bottom y2_px",
    "label": "label class action class_name action_name label_name",
    "person": "person person_id track track_id instance_id",
}
_ROLES = {word: role for role, words in _WORDS.items() for word in words.split()}
SIDES = ("x1", "y1", "x2", "y2")
PIXELS_FROM = 1.5  # a list with a larger number than this counts pixels

WANTED = "`path,frame,x1,y1,x2,y2,label[,person]` (`second` in place of `frame`), frames whole and from 0"


def is_table(first: str) -> bool:
    """Whether the first line of a file is a header of such a table.

    >>> is_table("path,frame,x1,y1,x2,y2,label"), is_table("path,label")
    (True, False)
    """
    return {"path", *SIDES} <= {_ROLES.get(word) for word in _words(first)}


def read(source: Path, text: str, root: Path) -> BoxListing:
    """A row for each label of each box. Several labels of one person in one frame stand in several rows.

    Coordinates are fractions of width and height, unless the header says `x1_px` or one is larger than 1.5: then all
    are pixels.

    Raises:
        ManifestError: a column is missing, or a row is not understood.
    """
    words = _words(text.partition("\n")[0])
    roles = {_ROLES[word]: word for word in words if word in _ROLES}
    missing = [name for name in ("path", *SIDES, "label") if name not in roles]
    if missing or ("frame" in roles) == ("second" in roles):
        lack = f"it has no column {missing[0]}" if missing else "it needs one of the columns frame and second"
        raise ManifestError(f"{source}: {lack}; expected the columns {WANTED}")
    rows, bad = [], []
    table = csv.DictReader(io.StringIO(text, newline=""), words, skipinitialspace=True)
    paths: dict[str, str] = {}
    for where, line in csv_rows(source, table):
        if table.line_num == 1:
            continue
        try:
            cell = {role: (line[word] or "").strip() for role, word in roles.items()}
            x1, y1, x2, y2 = (float(cell[side]) for side in SIDES)
            frame = int(cell["frame"]) if "frame" in roles else None
            second = float(cell["second"]) if "second" in roles else None
            if None in line or not cell["path"] or not cell["label"] or not _fine(x1, y1, x2, y2, frame, second):
                raise ValueError
        except ValueError:
            bad.append(where)
            continue
        path = paths.get(cell["path"]) or paths.setdefault(cell["path"], absolute(located(root, cell["path"])))
        rows.append(BoxRow(where, path, (x1, y1, x2, y2), cell["label"], frame, second, person=cell.get("person", "")))
    if bad:
        raise bad_rows(source, bad, WANTED)
    if any(words[words.index(roles[side])].endswith("_px") for side in SIDES) or any(
        max(row.box) > PIXELS_FROM for row in rows
    ):
        rows = [row._replace(size=None) for row in rows]
    return BoxListing(rows)


def write(path: Path, rows: list[BoxRow]) -> None:
    """The table that `read` reads back; videos that lie below its folder are written from there.

    Raises:
        ValueError: a row counts seconds, or pixels of a picture of unknown size.
    """
    with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        persons = any(row.person for row in rows)
        writer.writerow(["path", "frame", *SIDES, "label", *(["person"] if persons else [])])
        for row in rows:
            if row.frame is None or row.size is None:
                raise Mistake(f"{row.where}: it counts seconds or pixels; only frames and fractions are written")
            width, height = row.size
            box = [f"{value / side:.4f}" for value, side in zip(row.box, (width, height, width, height), strict=True)]
            video = Path(row.video)
            name = os.path.relpath(video, path.parent) if video.is_relative_to(path.parent) else row.video
            writer.writerow([name, row.frame, *box, row.label, *([row.person] if persons else [])])


def _fine(x1: float, y1: float, x2: float, y2: float, frame: int | None, second: float | None) -> bool:
    """Numbers that can be meant; boxes may still be empty or lie outside, which `vidattn check` counts."""
    return all(map(math.isfinite, (x1, y1, x2, y2, second or 0))) and (frame or 0) >= 0 and (second or 0) >= 0


def _words(line: str) -> list[str]:
    return [word.strip().strip('"').strip().casefold() for word in line.split(",")]
