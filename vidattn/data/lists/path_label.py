"""`path label` lists: those of SlowFast, TimeSformer and VideoMAE, mmaction2's of videos, and most home-made ones."""

import csv
import os
import re
from collections.abc import Collection
from pathlib import Path

from vidattn.data.lists.cells import Cell, labels_of
from vidattn.data.lists.columns import columns_of, looks_like_header
from vidattn.data.lists.picture_folder import A_PICTURE, holds_pictures
from vidattn.data.lists.row import (
    EXTENSION,
    VIDEO_EXTENSIONS,
    Listing,
    ManifestError,
    Row,
    bad_rows,
    endings_below,
    is_video,
    located,
)
from vidattn.wording import printable

# The path ends with a video extension; what follows is the label. So both may hold spaces and commas.
_PATH_LABEL = re.compile(rf"^(?P<path>.+{EXTENSION})(?:(?P<between>\s*[,;\t]\s*|\s+)(?P<rest>.*))?$", re.IGNORECASE)
_LABEL_FIRST = re.compile(rf"^(?:\d+[\s,;]|[^,;\t/]+[,;\t])\s*\S.*{EXTENSION}[\"']?$", re.IGNORECASE)


def read(source: Path, text: str, root: Path, multi_label: bool = False, known: Collection[str] = ()) -> Listing:
    """A path and a label with spaces, a comma or a tab between. Several numbers as label mean several classes.

    The path may be that of a folder of pictures. What a cell means: see `labels_of`.

    >>> listing = read(Path("list.txt"), "a.mp4 3 17\\nb.mp4 5\\n", Path("videos"))
    >>> [(row.path, row.labels) for row in listing.rows], listing.multi_label
    ([('videos/a.mp4', ('3', '17')), ('videos/b.mp4', ('5',))], True)
    """
    paths: list[str] = []
    cells: list[Cell] = []
    bad, wide = [], []
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if lines and columns_of(lines[0][1]) is not None:
        del lines[0]
    for number, line in lines:
        where = f"line {number}: {line!r}"
        path, labels = split(line)
        if path is None:
            path, labels = _folder(line, root)
        if path is None:
            bad.append((where, line))
        elif len(labels) > 1 and not multi_label:
            wide.append(where)
        else:
            paths.append(path)
            cells.append((where, ",".join(labels).strip()))
    if bad:
        raise _not_understood(source, bad, len(lines), root)
    if wide and len(wide) == len(lines) and all(os.path.isdir(located(root, _first_part(line))) for _, line in lines):
        raise bad_rows(
            source,
            wide,
            "`frame_dir label`, or `frame_dir total_frames label` with spaces between; or name the columns in a first "
            "row, frame_dir,total_frames,label",
        )
    if wide:
        raise bad_rows(
            source,
            wide,
            "`path label`, and there is more behind the label: name the columns in a first row such as "
            "path,label,split; or, if those are labels, too, set data.multi_label to true; or, if the comma is part of "
            "the name, put the name in quotes",
        )
    if paths and not os.path.exists(located(root, paths[0])):
        _check_order(source, [line for _, line in lines], cells)
    labelled = zip(paths, cells, labels_of(source, cells, multi_label, known), strict=True)
    base = os.fspath(root)
    rows = [Row(where, located(base, path), labels) for path, (where, _), labels in labelled]
    return Listing(rows, multi_label=any(len(row.labels) > 1 for row in rows))


def split(line: str) -> tuple[str | None, list[str]]:
    """The path, and the cells behind it: a space parts the first only.

    >>> split("my clips/a b.mp4 riding a bike")
    ('my clips/a b.mp4', ['riding a bike'])
    >>> split('"one, two.MP4",3'), split("a.mp4"), split("a.txt 3"), split("a.mp4,cat,train")
    (('one, two.MP4', ['3']), ('a.mp4', []), (None, []), ('a.mp4', ['cat', 'train']))
    """
    if '"' in line:
        for delimiter in ",;\t ":
            fields = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True))
            if is_video(fields[0]) and (len(fields) <= 2 or delimiter != " "):
                return fields[0], [field.strip() for field in fields[1:]]
    match = _PATH_LABEL.match(line)
    if match is None:
        return None, []
    if match["between"] is None:
        return match["path"], []
    return match["path"], _columns(match["rest"], match["between"].strip(" ") or " ")


def _columns(rest: str, delimiter: str) -> list[str]:
    if delimiter == " " or rest.startswith(("[", "(")) or (delimiter not in rest and '"' not in rest):
        return [rest]
    return [cell.strip() for cell in next(csv.reader([rest], delimiter=delimiter, skipinitialspace=True), [""])]


def _folder(line: str, root: Path) -> tuple[str | None, list[str]]:
    """A folder of pictures and the label behind it, if there is such a folder."""
    for delimiter in ",;\t":
        path, found, rest = line.partition(delimiter)
        if found and holds_pictures(located(root, path.strip())):
            return path.strip(), _columns(rest.strip(), delimiter)
    words = line.split(" ")
    for count in range(len(words), 0, -1):
        path = " ".join(words[:count]).strip()
        if os.path.isdir(located(root, path)) and holds_pictures(located(root, path)):
            return path, [" ".join(words[count:]).strip()] if words[count:] else []
    return None, []


def _first_part(line: str) -> str:
    """The path of a row, if it holds no spaces."""
    return re.split(r"[\s,;]", line.strip("\"'"))[0]


def _existing_folder(line: str, root: Path) -> str | None:
    path = located(root, _first_part(line))
    return path if os.path.isdir(path) else None


def _not_understood(source: Path, bad: list[tuple[str, str]], count: int, root: Path) -> ManifestError:
    """Say which shape the rows have."""
    where, line = bad[0]
    rows = [where for where, _ in bad]
    if len(bad) < count and looks_like_header(line) and where.startswith("line 1:"):
        return bad_rows(
            source, rows, "a header of known columns, such as path,label; rename them or take the line away"
        )
    if _LABEL_FIRST.match(line):
        return bad_rows(source, rows, "`path label`, but the label stands first: put it behind the path")
    if all(A_PICTURE.search(_first_part(line)) for _, line in bad):
        return bad_rows(source, rows, "`frame_dir label`: not a picture, but the folder that holds those of one video")
    folders = [_existing_folder(line, root) for _, line in bad]
    if all(folders):
        return bad_rows(
            source,
            rows,
            "`frame_dir label`, a folder that holds numbered pictures of one video (img_00001.jpg, ...): "
            f"{printable(str(folders[0]))} holds none ({endings_below(str(folders[0]))})",
        )
    endings = ", ".join(VIDEO_EXTENSIONS)
    expected = (
        f"`path label` with a space, comma or tab between, and a path that ends in one of {endings}, or one of a "
        "folder that holds pictures"
    )
    return bad_rows(source, rows, expected)


def _check_order(source: Path, lines: list[str], cells: list[Cell]) -> None:
    """Where the label stands first, it passes for part of the path."""
    if lines and not any(cell for _, cell in cells) and all(map(_LABEL_FIRST.match, lines)):
        raise bad_rows(
            source,
            [where for where, _ in cells],
            "`path label`, but the label stands first: put it behind the path (or a path in quotes)",
        )
