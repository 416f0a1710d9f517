"""Tables whose first row names the columns: `video_path,label,split` and the like."""

import csv
import io
import re
from collections.abc import Collection
from pathlib import Path

from vidattn.data.lists.cells import labels_of
from vidattn.data.lists.row import Listing, ManifestError, Row, bad_rows, csv_rows, is_video, located
from vidattn.data.segment import Segment

_WORDS = {
    "path": "path paths video videos file files filename filenames file_name file_path filepath video_path video_file "
    "video_name videopath clip clip_path clip_name vid vid_path relative_path rel_path "
    "frame_dir frames_dir frame_folder folder",
    "label": "label labels class classes class_name classname category action target label_name action_name "
    "class_id label_id class_index label_index class_idx label_idx action_id category_id",
    "start": "start start_seconds start_sec start_time time_start t_start",
    "end": "end end_seconds end_sec end_time time_end t_end",
    "start_frame": "start_frame",
    "end_frame": "end_frame",
    "total": "total_frames num_frames n_frames",
    "split": "split subset set partition usage fold",
}
_ROLES = {word: role for role, words in _WORDS.items() for word in words.split()}
# Whatever says which part of a video or of a list is meant must not be passed over.
_PART = re.compile(r"start|begin|end|stop|onset|offset|split|subset|fold")


def columns_of(line: str) -> list[str] | None:
    """The names in a header, in lower case; None where the line is none that we know.

    >>> columns_of("Video_Path,label"), columns_of("path label split"), columns_of("a.mp4,label"), columns_of("id,name")
    (['video_path', 'label'], ['path', 'label', 'split'], None, None)
    """
    words = _words(line)
    roles = [_ROLES.get(word) for word in words]
    known = "path" in roles and ("label" in roles or None not in roles)
    return words if known and looks_like_header(line) else None


def looks_like_header(line: str) -> bool:
    """Whether the line is words with something between, none of them a video or a number."""
    words = _words(line)
    return all(re.fullmatch(r"[^\W\d][\w ]*", word) and not is_video(word) for word in words)


def is_path_label(columns: list[str]) -> bool:
    """Whether the table is a `path label` list, with or without labels."""
    return [_ROLES.get(word) for word in columns] in (["path", "label"], ["path"])


def read(source: Path, text: str, root: Path, multi_label: bool = False, known: Collection[str] = ()) -> Listing:
    """A row for each video; columns that say nothing of where it is and what it shows are left aside.

    Raises:
        ManifestError: a column or a row is not understood, or the rows are of several splits.
    """
    text = text.lstrip()
    header = text.partition("\n")[0]
    columns = columns_of(header) or []
    roles = [_ROLES.get(word) for word in columns]
    _check_columns(source, columns, roles)
    delimiter = _delimiter(header)
    table = csv.DictReader(io.StringIO(text, newline=""), columns, delimiter=delimiter, skipinitialspace=True)
    role = {known_role: column for column, known_role in zip(columns, roles, strict=True) if known_role}
    rows, cells, bad, splits = [], [], [], set()
    for where, line in csv_rows(source, table):
        if table.line_num == 1:
            continue
        value = {name: (line[column] or "").strip() for name, column in role.items()}
        try:
            if None in line or not value["path"]:
                raise ValueError
            segment = _of_total(Segment.of_cells(value), "" if is_video(value["path"]) else value.get("total", ""))
        except ValueError:
            bad.append(where)
            continue
        rows.append(Row(where, located(root, value["path"]), (), segment))
        cells.append((where, value.get("label", "")))
        splits.add(value.get("split", ""))
    if bad:
        raise bad_rows(source, bad, f"a cell for each of {','.join(columns)}, times in seconds, frames whole")
    if len(splits) > 1:
        shown = ", ".join(sorted(splits - {""})[:4])
        raise ManifestError(f"{source} holds rows of several splits ({shown}); write a list for each")
    labels = labels_of(source, cells, multi_label, known)
    rows = [row._replace(labels=found) for row, found in zip(rows, labels, strict=True)]
    return Listing(rows, multi_label=any(len(found) > 1 for found in labels))


def _of_total(segment: Segment, total: str) -> Segment:
    """The segment as long as the pictures that a row counts, where it does not say where it ends."""
    if not total or segment.end is not None or segment.end_frame is not None or segment.start is not None:
        return segment
    return segment._replace(end_frame=(segment.start_frame or 0) + int(total))


def _check_columns(source: Path, columns: list[str], roles: list[str | None]) -> None:
    for wanted in ("path", "label", "start", "end", "split"):
        found = [column for column, role in zip(columns, roles, strict=True) if role == wanted]
        if len(found) > 1:
            raise ManifestError(f"{source} has the columns {' and '.join(found)}; keep the one that is the {wanted}")
    strange = [column for column, role in zip(columns, roles, strict=True) if role is None and _PART.search(column)]
    if strange:
        raise ManifestError(
            f"{source} has a column {strange[0]!r}, which is not understood; call it start or end (seconds), "
            "start_frame or end_frame, or split, as it is meant, or take it away"
        )


def _words(line: str) -> list[str]:
    delimiter = _delimiter(line)
    words = line.split() if delimiter == " " else line.split(delimiter)
    return [word.strip().strip('"').strip().casefold() for word in words]


def _delimiter(line: str) -> str:
    return next((sign for sign in ",\t;" if sign in line), " ")
