"""Lists of folders of pictures: mmaction2's `rawframes`, and the frame lists of SlowFast for Something-Something."""

import os
import re
from pathlib import Path

from vidattn.data.lists.row import Listing, Row, bad_rows, is_video

_RAWFRAMES = re.compile(r"^(?P<path>.+?)\s+(?P<total>\d+)\s+(?P<labels>\d+(?:\s+\d+)*)$")
HEADER = ("original_vido_id", "video_id", "frame_id", "path", "labels")  # the typo is the dataset's


def is_rawframes(text: str) -> bool:
    """Whether the first line is `frame_dir total_frames label`.

    >>> is_rawframes("some/dir 120 3\\n"), is_rawframes("some/a.mp4 120 3\\n")
    (True, False)
    """
    match = _RAWFRAMES.match(text.lstrip().partition("\n")[0].strip())
    return match is not None and not is_video(match["path"])


def read(source: Path, text: str, root: Path) -> Listing:
    """mmaction2's `frame_dir total_frames label`; several labels mean several classes."""
    rows, bad = [], []
    for number, line in enumerate(text.splitlines(), start=1):
        where = f"line {number}: {line.strip()!r}"
        match = _RAWFRAMES.match(line.strip())
        if match and int(match["total"]) > 0:
            path = os.path.join(root, match["path"])
            rows.append(Row(where, path, tuple(match["labels"].split()), end_frame=int(match["total"])))
        elif line.strip():
            bad.append(where)
    if bad:
        raise bad_rows(source, bad, "`frame_dir total_frames label`, the folder not empty")
    return Listing(rows, multi_label=any(len(row.labels) > 1 for row in rows))


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
