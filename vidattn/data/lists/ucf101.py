"""UCF101 (https://arxiv.org/abs/1212.0402): `trainlist01.txt` or `testlist01.txt` beside `classInd.txt`."""

import os
import re
from pathlib import Path

from vidattn.data.lists.class_names import ClassNames
from vidattn.data.lists.row import Listing, Row, bad_rows
from vidattn.data.lists.text import read_text

CLASSES = "classInd.txt"
_LINE = re.compile(r"^(?P<path>(?P<label>[^/]+)/.+\.avi)(?:\s+\d+)?$")


def read(source: Path, text: str, root: Path) -> Listing:
    """`ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi 1`, in test lists without the number.

    The class is the folder: the numbers count from 1, and only training lists have them.
    """
    names = class_names(source.parent / CLASSES)
    classes = ClassNames(names, numbered=False)
    rows, bad, hint = [], [], ""
    for number, line in enumerate(text.splitlines(), start=1):
        where = f"line {number}: {line.strip()!r}"
        match = _LINE.match(line.strip())
        if match and classes.find(match["label"]) is not None:
            rows.append(Row(where, os.path.join(root, match["path"]), (match["label"],)))
        elif line.strip():
            bad.append(where)
            near = classes.near(match["label"]) if match else None
            hint = hint or (f" (did you mean {near!r}?)" if near else "")
    if bad:
        raise bad_rows(source, bad, f"`CLASS/VIDEO.avi NUMBER` with a CLASS of {CLASSES}{hint}")
    return Listing(rows, names)


def class_names(path: Path) -> list[str]:
    """The names of `classInd.txt` (`1 ApplyEyeMakeup`) in the order of their numbers."""
    lines = [line.split(maxsplit=1) for line in read_text(path).splitlines() if line.strip()]
    bad = [f"line {i}: {' '.join(line)!r}" for i, line in enumerate(lines, 1) if len(line) < 2 or line[0] != str(i)]
    if bad:
        raise bad_rows(path, bad, "`NUMBER CLASS`, numbered from 1")
    return [name.strip() for _, name in lines]
