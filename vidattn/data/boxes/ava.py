"""AVA's lists (https://arxiv.org/abs/1705.08421): boxes at whole seconds, classes by number, seconds that do not count.

A row is `video_id,timestamp,x1,y1,x2,y2,action_id,person_id`, without a header. Of a second without anyone
(AVA-Kinetics) the cells behind the timestamp are empty, and the row is passed over.
"""

import csv
import re
from collections import Counter
from pathlib import Path

from vidattn.data.boxes.row import BoxListing, BoxRow
from vidattn.data.lists.row import ManifestError, bad_rows
from vidattn.data.lists.text import read_text

WANTED = "AVA's `video_id,timestamp,x1,y1,x2,y2,action_id,person_id`, sides in fractions, the timestamp in seconds"
_NUMBER = re.compile(r"\d+(\.\d+)?")


def is_ava(first: str) -> bool:
    """Whether the first line of a file is a row of AVA's.

    >>> is_ava("-5KQ66BBWC4,0902,0.077,0.151,0.283,0.811,80,1"), is_ava("path,frame,x1,y1,x2,y2,label,person")
    (True, False)
    """
    cells = next(csv.reader([first]), [])
    return len(cells) in (7, 8) and _NUMBER.fullmatch(cells[1].strip()) is not None


def read(
    source: Path, text: str, label_map: str | None = None, excluded: str | None = None, starts_at: float = 0
) -> BoxListing:
    """A row for each action of each person. Classes that the label map lacks, and excluded seconds, are left out.

    Args:
        label_map: AVA's `.pbtxt` of names and numbers; classes are called by their numbers without one.
        excluded: AVA's list `video_id,timestamp` of seconds that do not count.
        starts_at: the second of the list at which the files begin: 900 for films cut to AVA's quarter of an hour.

    Raises:
        ManifestError: a row is not understood.
    """
    names = None if label_map is None else read_label_map(Path(label_map).expanduser())
    passed_over = set() if excluded is None else _excluded(Path(excluded).expanduser())
    rows, bad = [], []
    left_out: Counter[str] = Counter()
    for number, cells in enumerate(csv.reader(text.splitlines()), start=1):
        if not any(cells[2:]) and len(cells) != 1:
            continue
        try:
            video, second, action, person = cells[0].strip(), float(cells[1]), int(cells[6]), "".join(cells[7:8])
            x1, y1, x2, y2 = map(float, cells[2:6])
            if not video or second < starts_at or not all(abs(side) < 10 for side in (x1, y1, x2, y2)):
                raise ValueError
        except (ValueError, IndexError):
            bad.append(f"line {number}: {','.join(cells)!r}")
            continue
        if (video, second) in passed_over:
            left_out["of excluded seconds"] += 1
        elif names is not None and action not in names:
            left_out["of classes that the label map lacks"] += 1
        else:
            label = str(action) if names is None else names[action]
            where = f"line {number}: {','.join(cells)!r}"
            rows.append(BoxRow(where, video, (x1, y1, x2, y2), label, second=second - starts_at, person=person.strip()))
    if bad:
        raise bad_rows(source, bad, WANTED)
    return BoxListing(rows, None if names is None else [names[number] for number in sorted(names)], left_out=left_out)


def read_label_map(path: Path) -> dict[int, str]:
    """Number -> name, of a `.pbtxt` with `name: "..."` and `id: n` (or `label_id: n`) in each item.

    Raises:
        ManifestError: it is no such file.
    """
    text = read_text(path)
    items = re.findall(r"\{([^{}]*)\}", text)
    found = {}
    for item in items:
        name, number = re.search(r'name:\s*"([^"]*)"', item), re.search(r"\b(?:label_)?id:\s*(\d+)", item)
        if name is None or number is None:
            raise ManifestError(
                f'{path}: an item lacks its name or number: {item.strip()!r}; expected name: "..." id: n'
            )
        found[int(number[1])] = name[1]
    if not found:
        raise ManifestError(f'{path} names no class; expected AVA\'s label map, item {{ name: "..." id: n }} for each')
    return found


def _excluded(path: Path) -> set[tuple[str, float]]:
    found, bad = set(), []
    for number, cells in enumerate(csv.reader(read_text(path).splitlines()), start=1):
        try:
            video, second = cells
            found.add((video.strip(), float(second)))
        except ValueError:
            if cells:
                bad.append(f"line {number}: {','.join(cells)!r}")
    if bad:
        raise bad_rows(path, bad, "`video_id,timestamp` for each second that does not count")
    return found
