"""Reading any list of videos; the kind is recognised by its content."""

import re
from collections.abc import Collection
from pathlib import Path

from vidattn.data.lists import (
    columns,
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
from vidattn.data.lists.row import Listing, ManifestError, Row, is_video
from vidattn.data.lists.text import check_readable, read_text


def read_listing(source: Path, root: Path | None, multi_label: bool, known: Collection[str]) -> Listing:
    """The rows of a list, a folder or one file, whatever its kind; `read_manifest` names the kinds.

    Args:
        source: the list, folder or file.
        root: folder that the list's paths start from; the list's own folder by default.
        multi_label: a row may have several labels.
        known: names of classes that are known already: they tell where a path ends and a label begins.

    Raises:
        ManifestError: there is no such file, or a row is not understood.
    """
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
    text = read_text(source)
    if _words(text) == table.COLUMNS:  # ours, which may name classes by the bytes of folders
        return table.read(source, text, base)
    listing = _text_listing(source, text, base, multi_label, known)
    for row in listing.rows:
        check_readable(source, row.where, "".join(row.labels))
    return listing


def _text_listing(source: Path, text: str, base: Path, multi_label: bool, known: Collection[str]) -> Listing:
    first = text.lstrip().partition("\n")[0].strip()
    header = _words(text)
    if text.lstrip().startswith("["):
        return (diving48 if '"vid_name"' in text else something).read(source, text, base)
    if "youtube_id" in header:
        return kinetics.read(source, text, base)
    if header == frame_folders.HEADER:
        return frame_folders.read_frame_list(source, text, base)
    if re.match(r"\d+;", first):
        return something.read_answers(source, text, base)
    if re.match(r"(train|test)list0", source.name) and (source.parent / ucf101.CLASSES).is_file():
        return ucf101.read(source, text, base)
    if (named := columns.columns_of(first)) and not columns.is_path_label(named):
        return columns.read(source, text, base, multi_label, known)
    if frame_folders.is_rawframes(text, base):
        return frame_folders.read(source, text, base, multi_label, known)
    return path_label.read(source, text, base, multi_label, known)


def _words(text: str) -> tuple[str, ...]:
    """The first line, as a header would be read."""
    return tuple(re.split(r'[",\s]+', text.lstrip().partition("\n")[0].strip()))
