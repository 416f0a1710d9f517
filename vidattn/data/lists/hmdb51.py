"""HMDB51 (Kuehne et al., ICCV 2011): `testTrainMulti_7030_splits`, a file per class and split."""

import os
import re
from pathlib import Path

from vidattn.data.lists.row import Listing, ManifestError, Row, bad_rows
from vidattn.data.lists.text import read_text

_FILE = re.compile(r"^(?P<label>.+)_test_split(?P<split>[123])\.txt$")
_PART = re.compile(r"^(?P<part>train|test)(?P<split>[123])$")
_MARKS = {"train": "1", "test": "2"}  # 0 is a video that the split leaves out


def is_splits(folder: Path) -> bool:
    """Whether the folder holds such files."""
    return any(_FILE.match(path.name) for path in folder.glob("*_test_split1.txt"))


def read(folder: Path, part: str, root: Path) -> Listing:
    """The videos of one part, `{root}/{class}/{video}`, from lines `video.avi 1`.

    Args:
        folder: holds `brush_hair_test_split1.txt` and so on.
        part: "train1", "test1", ..., "test3".
        root: holds a folder of videos for each class.
    """
    match = _PART.match(part)
    if match is None:
        raise ManifestError(f"{folder} holds the splits of HMDB51; name one: {folder}#train1 (or test1, ... test3)")
    rows, bad, names = [], [], []
    for path in sorted(folder.glob(f"*_test_split{match['split']}.txt")):
        label = path.name.removesuffix(f"_test_split{match['split']}.txt")
        names.append(label)
        for number, line in enumerate(read_text(path).splitlines(), start=1):
            video, _, mark = line.strip().rpartition(" ")
            where = f"{path.name}, line {number}: {line!r}"
            if not line.strip():
                continue
            if not video or mark not in ("0", "1", "2"):
                bad.append(where)
            elif mark == _MARKS[match["part"]]:
                rows.append(Row(where, os.path.join(root, label, video.strip()), (label,)))
    if bad:
        raise bad_rows(folder, bad, "`video.avi MARK` with 1 for training, 2 for test, 0 for neither")
    return Listing(rows, names)
