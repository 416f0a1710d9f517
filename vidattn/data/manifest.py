"""Which videos there are and what is in them: `read_manifest` turns any of the usual lists into one `Manifest`."""

import csv
import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

VIDEO_EXTENSIONS = (
    *("mp4", "mkv", "webm", "avi", "mov", "m4v", "mpg", "mpeg", "ts", "mts", "m2ts", "vob"),
    *("flv", "wmv", "3gp", "ogv", "h264", "264", "hevc", "265"),
)
"""File name endings that count as video, whatever their case."""

_EXTENSION = rf"\.(?:{'|'.join(VIDEO_EXTENSIONS)})"
_IS_VIDEO = re.compile(rf"{_EXTENSION}$", re.IGNORECASE)
# The path ends with a video extension; what follows is the label. So both may hold spaces and commas.
_PATH_LABEL = re.compile(rf"^(?P<path>.+{_EXTENSION})(?:\s*[\s,]\s*(?P<label>[^\s,].*))?$", re.IGNORECASE)
_HEADER = re.compile(r"^(path|video|file|filename)\s*[\s,]\s*label$", re.IGNORECASE)
_SHOWN = 5  # bad rows in one message


class ManifestError(ValueError):
    """A list of videos cannot be used: names the list, the rows, what was expected, and the next move."""


@dataclass(frozen=True)
class Video:
    """One video, or one segment of a longer one.

    Args:
        path: the file.
        label: index into the manifest's `class_names`; None where the list has no labels.
        start: first instant of the segment in seconds; None is the start of the file.
        end: the segment stops before this instant, in seconds; None is the end of the file.
    """

    path: str
    label: int | None
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True)
class Manifest:
    """Videos that exist, the names of their classes, and what was listed but is not there.

    Args:
        videos: in the order of the list (of the sorted file names, for a folder).
        class_names: the name of each label; empty where nothing is labelled.
        source: the list or folder this was read from.
        missing: how many listed files do not exist, by class name (`"unlabelled"` without labels).
    """

    videos: list[Video]
    class_names: list[str]
    source: str
    missing: dict[str, int] = field(default_factory=dict)

    def describe_missing(self) -> str:
        """One line for a log, classes that miss most first; empty when every listed file exists.

        >>> Manifest([Video("a.mp4", 0)], ["dance", "jump"], "train.csv", {"jump": 3, "dance": 1}).describe_missing()
        'train.csv: 4 of 5 listed videos do not exist and are left out: jump 3, dance 1'
        """
        if not self.missing:
            return ""
        gone = sum(self.missing.values())
        by_class = sorted(self.missing.items(), key=lambda item: (-item[1], item[0]))
        shown = ", ".join(f"{name} {count}" for name, count in by_class[:10])
        more = f" and {len(by_class) - 10} more classes" if len(by_class) > 10 else ""
        listed = gone + len(self.videos)
        return f"{self.source}: {gone} of {listed} listed videos do not exist and are left out: {shown}{more}"


def read_manifest(
    source: str | Path, root: str | Path | None = None, class_names: Sequence[str] | str | Path | None = None
) -> Manifest:
    """Reads a list, a folder or one file; what it is shows from its content.

    - A folder with one folder of videos per class; or a flat folder of videos, or one video file (no labels).
    - `path label` lists, separated by spaces, a comma or a tab; the label is a name or a number, or is left out in
      every row. Paths and names may hold spaces, and quotes as in CSV.
    - The official Kinetics lists (`label,youtube_id,time_start,time_end,split`; the test list without label). Clips
      are found anywhere below `root` as `{id}_{start:06d}_{end:06d}` or, uncut, as `{id}` (then the segment is kept).
    - The Something-Something v2 lists (JSON); clips are `{root}/{id}.webm`.

    Labels count the sorted class names of the whole list, files that are missing included, so a half-downloaded
    dataset keeps its numbers. Numbered labels without names are named by their number.

    Args:
        source: the list, folder or file.
        root: folder that the list's paths start from; the list's own folder by default.
        class_names: the names in the order of their labels, or a file that `read_class_names` reads. Pass those of
            the training list to the other splits. An unlabelled list takes them over as they are.

    Raises:
        ManifestError: a row is not understood (up to five are shown), a label is unknown, or no file exists.
    """
    source = Path(source).expanduser()
    if not source.exists():
        raise ManifestError(f"{source} does not exist; expected a list of videos, a folder or one video file")
    base = Path(root).expanduser() if root is not None else source.parent
    if isinstance(class_names, str | Path):
        class_names = read_class_names(class_names)

    if source.is_dir():
        rows = _folder_rows(source)
    elif _IS_VIDEO.search(source.name):
        rows = [_Row(str(source), str(source), None)]
    else:
        try:
            text = source.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            endings = ", ".join(VIDEO_EXTENSIONS)
            raise ManifestError(f"{source} is neither UTF-8 text nor a video file (ending in {endings})") from error
        columns = re.split(r'[",\s]+', text.lstrip().partition("\n")[0])
        if text.lstrip().startswith("["):
            rows = _something_rows(source, text, base)
        elif "youtube_id" in columns:
            rows = _kinetics_rows(source, text, base)
        else:
            rows = _list_rows(source, text, base)
    return _manifest(source, rows, class_names)


def read_class_names(path: str | Path) -> list[str]:
    """Names in the order of their labels: one a line, or Something-Something's JSON `{name: number}`.

    Raises:
        ManifestError: the file is missing, empty, or not what it looks like.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise ManifestError(f"class_names={path} is not a file; give a file with one class name a line, or a list")
    text = path.read_text(encoding="utf-8-sig")
    if text.lstrip().startswith("{"):
        numbers = {name: int(number) for name, number in _json(path, text).items()}
        names = sorted(numbers, key=lambda name: numbers[name])
    else:
        names = [line.strip() for line in text.splitlines() if line.strip()]
    if not names:
        raise ManifestError(f"{path} names no class; expected one name a line")
    return names


class _Row(NamedTuple):
    """One line of a list, its label still as written there."""

    where: str  # for messages: "line 3: 'a.mp4 dance'"
    path: str
    label: str | None
    start: float | None = None
    end: float | None = None


def _manifest(source: Path, rows: list[_Row], class_names: Sequence[str] | None) -> Manifest:
    """Labels to numbers, missing files to counts: the part that all kinds of list share."""
    if not rows:
        raise ManifestError(f"{source} lists no videos")
    labels = [row.label for row in rows if row.label is not None]
    if labels and len(labels) < len(rows):
        bad = [row.where for row in rows if row.label is None]
        raise _bad_rows(source, bad, "a label as in the other rows (or none in any row)")
    if class_names is None:
        class_names = _class_names(source, rows) if labels else []
    if repeated := [name for name, count in Counter(class_names).items() if count > 1]:
        raise ManifestError(f"class_names holds {repeated[0]!r} twice; each class has one label, give it once")
    index = {name: number for number, name in enumerate(class_names)}
    # Kinetics folders are found with underscores for the spaces of the official names, so either spelling will do.
    spellings = {_spelling(name): number for name, number in index.items()} | index

    videos, unknown, missing = [], [], Counter[str]()
    for row in rows:
        label = None
        if row.label is not None:
            label = spellings.get(row.label, spellings.get(_spelling(row.label)))
            if label is None and row.label.isdecimal() and int(row.label) < len(class_names):
                label = int(row.label)
            if label is None:
                unknown.append(row)
                continue
        if os.path.isfile(row.path):
            videos.append(Video(row.path, label, row.start, row.end))
        else:
            missing["unlabelled" if label is None else class_names[label]] += 1

    if unknown:
        name = unknown[0].label or ""
        near = get_close_matches(name, class_names, n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(class_names[:5])}, ..."
        expected = f"one of the {len(class_names)} known classes ({name!r} is none of them{hint})"
        raise _bad_rows(source, [row.where for row in unknown], expected)
    if not videos:
        raise ManifestError(
            f"{source}: none of the {len(rows)} listed videos exists, e.g. {rows[0].path}; "
            "set root to the folder that the list's paths start from"
        )
    return Manifest(videos, list(class_names), str(source), dict(missing))


def _class_names(source: Path, rows: list[_Row]) -> list[str]:
    """The sorted names, or "0", "1", ... up to the largest where the labels are numbers."""
    labels = {row.label for row in rows if row.label is not None}
    numbered = [label.isdecimal() for label in labels]
    if not any(numbered):
        return sorted(labels)
    if not all(numbered):
        bad = [row.where for row in rows if row.label is not None and not row.label.isdecimal()]
        raise _bad_rows(source, bad, "a class number (0, 1, ...) as in other rows")
    return [str(number) for number in range(max(map(int, labels)) + 1)]


def _spelling(name: str) -> str:
    return name.strip().replace("_", " ")


def _bad_rows(source: Path, bad: list[str], expected: str) -> ManifestError:
    shown = "".join(f"\n  {where}" for where in bad[:_SHOWN])
    more = f"\n  and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
    rows = "1 bad row" if len(bad) == 1 else f"{len(bad)} bad rows"
    return ManifestError(f"{source}: {rows}, expected {expected}:{shown}{more}")


# One function for each kind of list. Each gives all rows, existing or not.


def _folder_rows(folder: Path) -> list[_Row]:
    """A folder per class, or a flat folder of videos."""
    entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    flat = [path for path in entries if _IS_VIDEO.search(path.name) and path.is_file()]
    by_class = {
        path.name: sorted(file for file in path.iterdir() if _IS_VIDEO.search(file.name))
        for path in entries
        if path.is_dir()
    }
    rows = [_Row(str(file), str(file), name) for name, files in by_class.items() for file in files]
    if flat and rows:
        raise ManifestError(
            f"{folder} holds videos ({flat[0].name}) beside folders of videos ({rows[0].label}); "
            "expected either one folder per class or a flat folder: move one of them, or write a list"
        )
    if not flat and not rows:
        raise ManifestError(
            f"{folder} holds no videos, neither directly nor in one folder per class; give the folder that holds "
            f"the class folders, and files that end in {', '.join(VIDEO_EXTENSIONS)}"
        )
    return rows or [_Row(str(file), str(file), None) for file in flat]


def _list_rows(source: Path, text: str, base: Path) -> list[_Row]:
    """`path label` with a space, comma or tab between."""
    rows: list[_Row] = []
    bad = []
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip()
        if not line or (not rows and _HEADER.match(line)):
            continue
        where = f"line {number}: {line!r}"
        path, label = _split(line)
        # "a.mp4 3 17" is a multi-label list: one number is a label, two are not.
        if path is None or (label and re.fullmatch(r"\d+([\s,]+\d+)+", label)):
            bad.append(where)
        else:
            rows.append(_Row(where, os.path.join(base, path), label))
    if bad:
        expected = (
            f"`path label` with a space, comma or tab between, one label, and a path that ends in one of "
            f"{', '.join(VIDEO_EXTENSIONS)}"
        )
        raise _bad_rows(source, bad, expected)
    return rows


def _split(line: str) -> tuple[str | None, str | None]:
    """
    >>> _split("my clips/a b.mp4 riding a bike")
    ('my clips/a b.mp4', 'riding a bike')
    >>> _split('"one, two.MP4",3'), _split("a.mp4"), _split("a.txt 3")
    (('one, two.MP4', '3'), ('a.mp4', None), (None, None))
    """
    if '"' in line:
        for delimiter in ",\t ":
            fields = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True))
            if len(fields) <= 2 and _IS_VIDEO.search(fields[0]):
                return fields[0], fields[1].strip() if len(fields) == 2 else None
    match = _PATH_LABEL.match(line)
    return (match["path"], match["label"]) if match else (None, None)


def _kinetics_rows(source: Path, text: str, root: Path) -> list[_Row]:
    """The official CSV of Kinetics-400, -600 and -700; `is_cc` and other columns are left aside."""
    found: dict[str, list[str]] = {}
    for path in _videos_below(root):
        found.setdefault(Path(path).stem, []).append(path)

    rows: list[_Row] = []
    bad = []
    table = csv.DictReader(text.splitlines())
    for line in table:
        name = line["youtube_id"]
        where = f"line {table.line_num}: {','.join(str(value) for value in line.values())!r}"
        label = line.get("label")
        try:
            # Some copies write the times as floats.
            start, end = float(line["time_start"]), float(line["time_end"])
        except (KeyError, TypeError, ValueError):
            bad.append(where)
            continue
        if not name or not 0 <= start < end or ("label" in line and not label):
            bad.append(where)
            continue
        trimmed = f"{name}_{int(start):06d}_{int(end):06d}"
        if trimmed in found:
            rows.append(_Row(where, _in_class_folder(found[trimmed], label), label))
        elif name in found:
            rows.append(_Row(where, _in_class_folder(found[name], label), label, start, end))
        else:
            rows.append(_Row(where, os.path.join(root, label or "", f"{trimmed}.mp4"), label))
    if bad:
        raise _bad_rows(source, bad, "`label,youtube_id,time_start,time_end,...` with 0 <= time_start < time_end")
    return rows


def _in_class_folder(paths: list[str], label: str | None) -> str:
    """Of files with one name, that in the folder of its class (with spaces or underscores); else the first."""
    return next((path for path in paths if _spelling(Path(path).parent.name) == _spelling(label or "")), paths[0])


def _videos_below(root: Path) -> Iterator[str]:
    """Every video file below `root`, sorted folder by folder; datasets are often linked together, so links count."""
    for folder, folders, files in os.walk(root, followlinks=True):
        folders.sort()
        yield from (os.path.join(folder, file) for file in sorted(files) if _IS_VIDEO.search(file))


def _something_rows(source: Path, text: str, root: Path) -> list[_Row]:
    """Something-Something v2: `[{"id": "78687", "template": "Holding [something]", ...}]`; test lists have only ids.

    The official class names are the templates without brackets: https://arxiv.org/abs/1706.04261.
    """
    rows, bad = [], []
    for number, entry in enumerate(_json(source, text), start=1):
        where = f"entry {number}: {entry!r}"
        if not isinstance(entry, dict) or "id" not in entry:
            bad.append(where)
            continue
        template = entry.get("template")
        label = template.replace("[", "").replace("]", "") if template else None
        rows.append(_Row(where, os.path.join(root, f"{entry['id']}.webm"), label))
    if bad:
        raise _bad_rows(source, bad, '`{"id": ..., "template": ...}`')
    return rows


def _json(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ManifestError(f"{path} starts like JSON but is not: {error}; download or write it again") from error
