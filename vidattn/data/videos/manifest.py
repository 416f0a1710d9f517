"""Which videos there are and what is in them: `read_manifest` turns any of the usual lists into one `Manifest`."""

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from vidattn.data.lists import (
    diving48,
    folder,
    frame_folders,
    hmdb51,
    kinetics,
    path_label,
    something,
    table,
    ucf101,
)
from vidattn.data.lists.row import (
    VIDEO_EXTENSIONS,
    Listing,
    ManifestError,
    Row,
    bad_rows,
    is_video,
    parse_json,
    spelling,
)

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
    """

    videos: list[Video]
    class_names: list[str]
    source: str
    missing: dict[str, int] = field(default_factory=dict)
    multi_label: bool = False
    missing_paths: list[str] = field(default_factory=list)

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
    listing = _listing(source, Path(root).expanduser() if root is not None else None)
    listing = listing._replace(multi_label=listing.multi_label or multi_label)
    if isinstance(class_names, str | Path):
        class_names = read_class_names(class_names)
    return _manifest(source, listing, class_names, folder_fps)


def write_manifest(path: str | Path, manifest: Manifest) -> None:
    """The videos and the names of their classes as a table, which `read_manifest` reads; paths become absolute."""
    names = manifest.class_names
    rows = []
    for video in manifest.videos:
        labels = video.labels if manifest.multi_label else () if video.label is None else (video.label,)
        where = os.path.abspath(video.path)
        segment = (video.start, video.end, video.start_frame, video.end_frame)
        rows.append(Row("", where, tuple(names[label] for label in labels), *segment))
    table.write(Path(path), rows, manifest.multi_label)


def read_class_names(path: str | Path) -> list[str]:
    """Names in the order of their labels: one a line, UCF101's `classInd.txt`, Something-Something's JSON
    `{name: number}`, or Diving48's vocabulary.

    Raises:
        ManifestError: the file is missing, empty, or not what it looks like.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise ManifestError(f"class_names={path} is not a file; give a file with one class name a line, or a list")
    text = path.read_text(encoding="utf-8-sig", errors="surrogateescape")
    if text.lstrip().startswith("{"):
        try:
            numbers = {name: int(number) for name, number in parse_json(path, text).items()}
        except (TypeError, ValueError) as error:
            if isinstance(error, ManifestError):
                raise
            raise ManifestError(f"{path}: {error}; expected JSON {{name: number, ...}}") from error
        names = sorted(numbers, key=lambda name: numbers[name])
    elif path.name == ucf101.CLASSES:
        names = ucf101.class_names(path)
    elif text.lstrip().startswith("[["):
        names = diving48.class_names(path)
    else:
        names = [line.strip() for line in text.splitlines() if line.strip()]
    if not names:
        raise ManifestError(f"{path} names no class; expected one name a line")
    return names


def _listing(source: Path, root: Path | None) -> Listing:
    """Tell what kind of list it is, and read it."""
    if not source.exists():
        splits, _, part = str(source).rpartition("#")
        if splits and hmdb51.is_splits(Path(splits)):
            return hmdb51.read(Path(splits), part, root or Path(splits).parent)
        hint = "" if source.is_absolute() else f"; run vidattn elsewhere than in {Path.cwd()}, or give the whole path"
        raise ManifestError(f"{source} does not exist; expected a list of videos, a folder or one video file{hint}")
    base = root if root is not None else source.parent
    if source.is_dir():
        return hmdb51.read(source, "", base) if hmdb51.is_splits(source) else folder.read(source)
    if is_video(source):
        return Listing([Row(str(source), str(source))])
    text = source.read_text(encoding="utf-8-sig", errors="surrogateescape")  # file names are not always UTF-8
    if "\0" in text:
        endings = ", ".join(VIDEO_EXTENSIONS)
        raise ManifestError(f"{source} is neither text nor a video file (ending in {endings})")
    first = text.lstrip().partition("\n")[0].strip()
    columns = tuple(re.split(r'[",\s]+', first))
    if text.lstrip().startswith("["):
        return (diving48 if '"vid_name"' in text else something).read(source, text, base)
    if "youtube_id" in columns:
        return kinetics.read(source, text, base)
    if columns == table.COLUMNS:
        return table.read(source, text, base)
    if columns == frame_folders.HEADER:
        return frame_folders.read_frame_list(source, text, base)
    if re.match(r"\d+;", first):
        return something.read_answers(source, text, base)
    if re.match(r"(train|test)list0", source.name) and (source.parent / ucf101.CLASSES).is_file():
        return ucf101.read(source, text, base)
    if frame_folders.is_rawframes(text):
        return frame_folders.read(source, text, base)
    return path_label.read(source, text, base)


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
    if repeated := [name for name, count in Counter(class_names).items() if count > 1]:
        raise ManifestError(f"class_names holds {repeated[0]!r} twice; each class has one label, give it once")
    index = {name: number for number, name in enumerate(class_names)}
    # Kinetics folders are found with underscores for the spaces of the official names, so either spelling will do.
    spellings = {spelling(name): number for name, number in index.items()} | index
    # Where the source itself says its names, one of them may be a year.
    may_be_number = listing.class_names is None or not any(name.isdecimal() for name in class_names)

    def number_of(label: str) -> int | None:
        number = spellings.get(label, spellings.get(spelling(label)))
        if number is None and may_be_number and label.isdecimal() and int(label) < len(class_names):
            number = int(label)
        return number

    videos, unknown, missing, missing_paths = [], [], Counter[str](), []
    for row in rows:
        numbers = [number_of(label) for label in row.labels]
        labels = tuple(number for number in numbers if number is not None)
        if len(labels) < len(numbers):
            unknown.append((row.where, row.labels[numbers.index(None)]))
            continue
        isdir = os.path.isdir(row.path)
        if isdir or os.path.isfile(row.path):
            one = labels[0] if labels and not listing.multi_label else None
            several = labels if listing.multi_label else ()
            segment = {"start_frame": row.start_frame, "end_frame": row.end_frame}
            fps = folder_fps if isdir else None
            videos.append(Video(row.path, one, row.start, row.end, several, **segment, folder_fps=fps))
        else:
            missing.update([class_names[label] for label in labels] or ["unlabelled"])
            missing_paths.append(row.path)

    if unknown:
        name = unknown[0][1]
        near = get_close_matches(name, class_names, n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(class_names[:5])}, ..."
        expected = f"one of the {len(class_names)} known classes ({name!r} is none of them{hint})"
        raise bad_rows(source, [where for where, _ in unknown], expected)
    if not videos:
        raise ManifestError(
            f"{source}: none of the {len(rows)} listed videos exists, e.g. {rows[0].path}; "
            "set root to the folder that the list's paths start from"
        )
    return Manifest(videos, list(class_names), str(source), dict(missing), listing.multi_label, missing_paths)


def _class_names(source: Path, rows: list[Row]) -> list[str]:
    """The sorted names, or "0", "1", ... up to the largest where the labels are numbers."""
    labels = {label for row in rows for label in row.labels}
    numbered = [label.isdecimal() for label in labels]
    if not any(numbered):
        return sorted(labels)
    if not all(numbered):
        bad = [row.where for row in rows if not all(label.isdecimal() for label in row.labels)]
        raise bad_rows(source, bad, "a class number (0, 1, ...) as in other rows")
    return [str(number) for number in range(max(map(int, labels)) + 1)]
