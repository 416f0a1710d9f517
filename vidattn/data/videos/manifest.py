"""Which videos there are and what is in them: `read_manifest` turns any of the usual lists into one `Manifest`."""

import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from vidattn.data.lists import table
from vidattn.data.lists.any_list import read_listing
from vidattn.data.lists.cells import one_kind
from vidattn.data.lists.class_files import ClassFile, read_class_file
from vidattn.data.lists.class_names import ClassNames, is_number, numbers_alone, twins
from vidattn.data.lists.row import (
    Listing,
    ManifestError,
    Row,
    bad_rows,
)
from vidattn.data.lists.text import is_readable
from vidattn.data.segment import Segment
from vidattn.wording import counted, printable

__all__ = ["Manifest", "ManifestError", "Video", "read_class_names", "read_manifest", "write_manifest"]


@dataclass(frozen=True)
class Video:
    """One video, or one segment of a longer one.

    Args:
        path: the file, or a folder of pictures.
        label: index into the manifest's `class_names`; None where the list has no labels, or several a video.
        start: first instant of the segment in seconds; None is the start of the file.
        end: the segment stops before this instant, in seconds; None is the end of the file.
        labels: all classes of the video where the list is a multi-label one.
        start_frame: first frame of the segment; None is the first of the file.
        end_frame: the segment stops before this frame; None, or a number beyond the last, is the end of the file.
        folder_fps: frames per second of a folder of pictures, which cannot tell itself; None for a file.
    """

    path: str
    label: int | None
    start: float | None = None
    end: float | None = None
    labels: tuple[int, ...] = ()
    start_frame: int | None = None
    end_frame: int | None = None
    folder_fps: float | None = None

    @property
    def segment(self) -> Segment:
        """The part of the file that is meant."""
        return Segment(self.start, self.end, self.start_frame, self.end_frame)


@dataclass(frozen=True)
class Manifest:
    """Videos that exist, the names of their classes, and what was listed but is not there.

    Args:
        videos: in the order of the list (of the sorted file names, for a folder).
        class_names: the name of each label; empty where nothing is labelled.
        source: the list or folder this was read from.
        missing: how many listed files do not exist, by class name (`"unlabelled"` without labels).
        multi_label: whether a video may have several classes: those are in `Video.labels`, and `label` is None.
        missing_paths: the listed files that do not exist.
        numbered: whether the labels of the list are numbers.
    """

    videos: list[Video]
    class_names: list[str]
    source: str
    missing: dict[str, int] = field(default_factory=dict)
    multi_label: bool = False
    missing_paths: list[str] = field(default_factory=list)
    numbered: bool = False

    def __str__(self) -> str:
        return self.source

    @property
    def labelled(self) -> bool:
        """Whether any video has a class."""
        return any(video.label is not None or video.labels for video in self.videos)

    def describe_missing(self) -> str:
        """One line for a log, classes that miss most first; empty when every listed file exists.

        >>> Manifest([Video("a.mp4", 0)], ["dance", "jump"], "train.csv", {"jump": 3, "dance": 1}).describe_missing()
        'train.csv: 4 of 5 listed videos do not exist and are left out (3 of jump, 1 of dance)'
        """
        if not self.missing:
            return ""
        gone = len(self.missing_paths) or sum(self.missing.values())
        by_class = sorted(self.missing.items(), key=lambda item: (-item[1], item[0]))
        shown = ", ".join(
            f"{count} of {f'class {name}' if name.isdecimal() else name}" for name, count in by_class[:10]
        )
        more = f" and {len(by_class) - 10} more classes" if len(by_class) > 10 else ""
        listed = gone + len(self.videos)
        first = f": {self.missing_paths[0]}{' ...' if gone > 1 else ''}" if self.missing_paths else ""
        return f"{self.source}: {gone} of {listed} listed videos do not exist and are left out ({shown}{more}){first}"


def read_manifest(
    source: str | Path,
    root: str | Path | None = None,
    class_names: Sequence[str] | str | Path | None = None,
    folder_fps: float = 30.0,
    multi_label: bool = False,
) -> Manifest:
    """Reads a list, a folder or one file; what it is shows from its content.

    - A folder with one folder of videos per class; or a flat folder of videos, or one video file (no labels).
    - `path label` lists, separated by spaces, a comma or a tab; the label is a name or a number, or is left out in
      every row. Paths and names may hold spaces, and quotes as in CSV. Several numbers are several classes (mmaction2).
      Tables with more columns say in their first row which is which. Cells: `vidattn.data.lists.class_names`.
    - The official Kinetics lists (`label,youtube_id,time_start,time_end,split`; the test list without label). Clips
      are found anywhere below `root` as `{id}_{start:06d}_{end:06d}` or, uncut, as `{id}` (then the segment is kept).
    - The Something-Something v2 lists (JSON), and the answers to its test list; clips are `{root}/{id}.webm`.
    - UCF101's `trainlist01.txt` and `testlist01.txt` beside `classInd.txt`; HMDB51's folder of splits, with the part
      behind it (`testTrainMulti_7030_splits#train1`); Diving48's V2 lists (JSON) beside `Diving48_vocab.json`.
    - Folders of pictures: mmaction2's `frame_dir total_frames label`, and SlowFast's frame lists.
    - The table that `write_manifest` writes.

    Labels count the sorted class names of the whole list, files that are missing included, so a half-downloaded
    dataset keeps its numbers. Numbers as labels of a list are named by their number; a folder's name is a name.

    Args:
        source: the list, folder or file.
        root: folder that the list's paths start from; the list's own folder by default.
        class_names: the names in the order of their labels, or a file that `read_class_names` reads. Pass those of
            the training list to the other splits. An unlabelled list takes them over as they are.
        folder_fps: frames per second of folders of pictures.
        multi_label: a multi-label list, even if no video in it has more than one class.

    Raises:
        ManifestError: a row is not understood (up to five are shown), a label is unknown, or no file exists.
    """
    source = Path(source).expanduser()
    given, names = None, class_names
    if isinstance(names, str | Path):
        given = read_class_file(Path(names).expanduser())
        names = given.names
    known = frozenset(names or ())
    listing = read_listing(source, Path(root).expanduser() if root is not None else None, multi_label, known)
    listing = listing._replace(multi_label=listing.multi_label or multi_label)
    if given is not None and given.first:
        _check_counting(source, listing.rows, class_names, given)
    return _manifest(source, listing, names, folder_fps)


def write_manifest(path: str | Path, manifest: Manifest) -> None:
    """The videos and the names of their classes as a table, which `read_manifest` reads; paths become absolute."""
    write_table(path, manifest, manifest.videos, os.path.abspath)


def write_table(path: str | Path, manifest: Manifest, videos: Sequence[Video], written: Callable[[str], str]) -> None:
    """Some of the manifest's videos as a table; `written` turns the path of a video into the one to write."""
    rows = []
    for video in videos:
        labels = tuple(manifest.class_names[label] for label in video.labels or (video.label,) if label is not None)
        rows.append(Row("", written(video.path), labels, video.segment))
    table.write(Path(path), rows, manifest.multi_label)


def read_class_names(path: str | Path) -> list[str]:
    """Names in the order of their labels, from a file in any of the forms that `read_class_file` reads.

    Raises:
        ManifestError: the file is missing, empty, or not what it looks like.
    """
    return read_class_file(Path(path).expanduser()).names


def recounted(source: str, videos: Sequence[Video], names: Sequence[str], classes: Sequence[str]) -> list[Video]:
    """The videos with labels that count `classes` instead of `names`: each class by its name.

    Raises:
        ManifestError: a video is of a class that `classes` does not hold.
    """
    known = ClassNames(classes, numbered=False)
    places = [known.find(name) for name in names]
    moved = []
    for video in videos:
        labels = video.labels if video.label is None else (video.label,)
        if unknown := [names[label] for label in labels if places[label] is None]:
            raise ManifestError(
                f"{source}: {unknown[0]!r} is none of the {counted(len(classes), 'known class', 'known classes')}; "
                f"{known.hint(unknown[0])}"
            )
        there = tuple(place for label in labels if (place := places[label]) is not None)
        one = None if video.label is None else there[0]
        moved.append(replace(video, label=one, labels=there if video.label is None else ()))
    return moved


def _manifest(source: Path, listing: Listing, class_names: Sequence[str] | None, folder_fps: float) -> Manifest:
    """Labels to numbers, missing files to counts: the part that all kinds of list share."""
    rows = listing.rows
    if not rows:
        raise ManifestError(f"{source} lists no videos")
    unlabelled = [row.where for row in rows if not row.labels]
    if 0 < len(unlabelled) < len(rows) and not listing.multi_label:
        raise bad_rows(source, unlabelled, "a label as in the other rows (or none in any row)")
    if class_names is None:
        class_names = listing.class_names
    if class_names is None:
        class_names = [] if len(unlabelled) == len(rows) else _class_names(source, rows)
    _check_distinct(source, class_names)
    classes = ClassNames(class_names)

    videos, unknown, missing, missing_paths = [], [], Counter[str](), []
    for row in rows:
        numbers = [classes.find(label) for label in row.labels]
        labels = tuple(number for number in numbers if number is not None)
        if len(labels) < len(numbers):
            unknown.append((row.where, row.labels[numbers.index(None)]))
            continue
        isdir = os.path.isdir(row.path)
        if isdir or os.path.isfile(row.path):
            one = labels[0] if labels and not listing.multi_label else None
            several = labels if listing.multi_label else ()
            fps = folder_fps if isdir else None
            videos.append(Video(row.path, one, labels=several, **row.segment._asdict(), folder_fps=fps))
        else:
            missing.update([class_names[label] for label in labels] or ["unlabelled"])
            missing_paths.append(row.path)

    if unknown:
        name = unknown[0][1]
        known = counted(len(class_names), "known class", "known classes")
        expected = f"one of the {known} ({name!r} is none of them; {classes.hint(name)})"
        raise bad_rows(source, [where for where, _ in unknown], expected)
    if not videos:
        e_g = printable(rows[0].path)
        raise ManifestError(f"{source}: none of the {len(rows)} listed videos exists, e.g. {e_g}; {_way_out(rows)}")
    numbered = classes.numbered or numbers_alone(class_names)  # else numbers are names
    numbered = numbered and any(is_number(label) for row in rows for label in row.labels)
    return Manifest(videos, list(class_names), str(source), dict(missing), listing.multi_label, missing_paths, numbered)


def _class_names(source: Path, rows: list[Row]) -> list[str]:
    """The sorted names, or "0", "1", ... up to the largest where the labels are numbers."""
    labels = {label for row in rows for label in row.labels}
    if one_kind(source, [(row.where, row.labels) for row in rows]):
        return [str(number) for number in range(max(map(int, labels)) + 1)]
    if pair := twins(sorted(labels)):
        places = [row.where for row in rows if set(pair) & set(row.labels)]
        first = [next(row.where for row in rows if name in row.labels) for name in pair]
        others = [where for where in places if where not in first]
        raise bad_rows(source, [*first, *others], f"one spelling of each class, not {pair[0]!r} and {pair[1]!r}")
    return sorted(labels)


def _check_distinct(source: Path, class_names: Sequence[str]) -> None:
    """Each class has a name of its own."""
    if repeated := [name for name, count in Counter(class_names).items() if count > 1]:
        raise ManifestError(f"class_names holds {repeated[0]!r} twice; each class has one label, give it once")
    if pair := twins(class_names):
        raise ManifestError(f"{source}: classes {pair[0]!r} and {pair[1]!r} are two spellings of one name; keep one")


def _check_counting(source: Path, rows: list[Row], file: object, given: ClassFile) -> None:
    """Raise where a list has numbers, which count from 0, and the file of names counts from 1."""
    numbered = [row.where for row in rows if any(is_number(label) for label in row.labels)]
    if numbered and not any(is_number(name) for name in given.names):
        raise bad_rows(
            source,
            numbered,
            f"names as labels, since {file} counts its classes from {given.first} and numbers in a list count from 0 "
            "(or number the classes from 0 in both)",
        )


def _behind_label(path: str) -> bool:
    """Whether the file is there without the words that stand before it: `jump a.mp4` is a label and a path then."""
    folder, name = os.path.split(path)
    words = [name.partition(separator)[2] for separator in (" ", "\t")]
    return any(word and os.path.isfile(os.path.join(folder, word.strip())) for word in words)


def _way_out(rows: list[Row]) -> str:
    """What to do where no listed file exists, by the shape of the paths."""
    paths = [row.path for row in rows]
    if not all(map(is_readable, paths)):
        return "the list is not in UTF-8, as names of files mostly are; save it as UTF-8"
    if any(_behind_label(path) for path in paths):
        return "the label stands first: put it behind the path"
    if any(re.search(r"(^|/)[A-Za-z]:[\\/]", path) for path in paths):
        return "these are paths of Windows; write them with / and without the drive, and set root to their folder"
    if any("://" in path for path in paths):
        return "addresses are not opened here; download the videos, or give shards (.tar), which are"
    if all(row.where.find(row.path) >= 0 for row in rows):
        return "these paths are whole ones, so that root does not change them; correct them, or write them from a root"
    return "set root to the folder that the list's paths start from"
