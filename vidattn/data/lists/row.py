"""What all kinds of list share: rows, listings, and errors that show the bad rows."""

import csv
import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vidattn.data.lists.picture_folder import without_stills
from vidattn.data.segment import WHOLE_FILE, Segment
from vidattn.mistakes import Mistake

VIDEO_EXTENSIONS = (
    *("mp4", "mkv", "webm", "avi", "mov", "m4v", "mpg", "mpeg", "ts", "mts", "m2ts", "vob", "m2v"),
    *("flv", "wmv", "asf", "3gp", "3g2", "ogv", "ogg", "mxf", "dv", "rm", "rmvb", "nut", "mjpeg", "mjpg", "y4m", "ivf"),
    *("h264", "264", "hevc", "h265", "265", "gif", "webp", "apng"),
)
"""File name endings that count as video, whatever their case."""

SHOWN_ENDINGS = ", ".join(VIDEO_EXTENSIONS)
"""As messages name them."""

EXTENSION = rf"\.(?:{'|'.join(VIDEO_EXTENSIONS)})"
_IS_VIDEO = re.compile(rf"{EXTENSION}$", re.IGNORECASE)
_SHOWN = 5  # bad rows in one message


class ManifestError(Mistake):
    """A list of videos cannot be used: names the list, the rows, what was expected, and the next move."""


class Row(NamedTuple):
    """One video of a list.

    Args:
        where: the row, for messages: "line 3: 'a.mp4 dance'".
        path: the file, or the folder of pictures.
        labels: the classes as written there, names or numbers; empty where the list has none.
        segment: the part of it that is meant.
    """

    where: str
    path: str
    labels: tuple[str, ...] = ()
    segment: Segment = WHOLE_FILE


class Listing(NamedTuple):
    """All rows of a list.

    Args:
        rows: in their order.
        class_names: names in the order of their labels, where the dataset says them.
        multi_label: whether a video may have any number of classes.
    """

    rows: list[Row]
    class_names: Sequence[str] | None = None
    multi_label: bool = False


def is_video(path: str | Path) -> bool:
    """Whether the file's name ends as a video's does."""
    return _IS_VIDEO.search(os.path.basename(path)) is not None


def is_hidden(name: str) -> bool:
    """Whether a file or folder is not meant to be seen, such as what macOS leaves behind on disks and in archives.

    >>> is_hidden("._a.mp4"), is_hidden("__MACOSX"), is_hidden("a.mp4")
    (True, True, False)
    """
    return name.startswith(".") or name == "__MACOSX"


def videos_below(root: str | Path) -> Iterator[str]:
    """Every video file below `root` that is not hidden, sorted folder by folder.

    Datasets are often linked together, so links count, but not those that lead back to a folder they lie in.

    Raises:
        ManifestError: a folder cannot be listed.
    """
    root = os.fspath(root)
    ways: dict[str, tuple[str, ...]] = {root: (os.path.realpath(root),)}  # the real folders from the root to each
    for folder, folders, files in os.walk(root, onerror=_cannot_list, followlinks=True):
        way = ways.pop(folder)
        inner = {name: os.path.join(folder, name) for name in sorted(folders) if not is_hidden(name)}
        folders[:] = [name for name, path in inner.items() if not leads_back(path, way)]
        ways |= {inner[name]: (*way, os.path.realpath(inner[name])) for name in folders}
        videos = [file for file in sorted(files) if is_video(file) and not is_hidden(file)]
        yield from (os.path.join(folder, file) for file in without_stills(folder, videos))


def endings_below(root: str | Path) -> str:
    """The endings of the files below `root` that are no videos, as a sentence for messages; the most frequent first.

    >>> endings_below("no/such/folder")
    'it holds no files'
    """
    seen = Counter(
        os.path.splitext(file)[1].lower() or "no ending"
        for _, _, files in os.walk(root)
        for file in files
        if not is_hidden(file)
    )
    shown = ", ".join(f"{ending} ({count})" for ending, count in seen.most_common(_SHOWN))
    return f"the files in it end in: {shown}" if seen else "it holds no files"


def leads_back(path: str | Path, way: Iterable[str]) -> bool:
    """Whether a folder is, or holds, one of the real folders on the way to it: then it is a link, and has no end."""
    real = os.path.realpath(path)
    return any(Path(folder).is_relative_to(real) for folder in way)


def _cannot_list(error: OSError) -> None:
    raise ManifestError(
        f"cannot list {error.filename} ({error.strerror}); check the path and your right to read it, or take it away"
    ) from error


def located(root: str | Path, path: str) -> str:
    """Where a list's path leads from the root: `~` is the home folder, and `\\` parts folders, unless a file is called
    so."""
    whole = os.path.join(root, path)
    if path.startswith("~") and not os.path.exists(whole):
        return os.path.expanduser(path)
    if "\\" in path and not os.path.exists(whole):
        parted = os.path.join(root, path.replace("\\", "/"))
        return parted if os.path.exists(parted) else whole
    return whole


def bad_rows(source: Path, bad: Sequence[str], expected: str) -> ManifestError:
    """An error that shows the first five bad rows and says what was expected instead."""
    shown = "".join(f"\n  {where}" for where in bad[:_SHOWN])
    more = f"\n  and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
    rows = "1 bad row" if len(bad) == 1 else f"{len(bad)} bad rows"
    return ManifestError(f"{source}: {rows}, expected {expected}:{shown}{more}")


def parse_json(path: Path, text: str) -> Any:
    """What the text says.

    Raises:
        ManifestError: it is no JSON.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ManifestError(f"{path} starts like JSON but is not: {error}; download or write it again") from error


def csv_rows(source: Path, table: "csv.DictReader[str]") -> Iterator[tuple[str, dict[str, Any]]]:
    """Each row of a table, and where it stands, for messages.

    Raises:
        ManifestError: it is no CSV from some row on.
    """
    try:
        for row in table:
            yield f"line {table.line_num}: {','.join(str(value) for value in row.values())!r}", row
    except csv.Error as error:
        raise ManifestError(
            f"{source}, line {table.line_num + 1}: {error}; expected CSV in which each quote is closed"
        ) from error
