"""Folders of pictures, as they stand on the disk."""

import os
import re
from collections.abc import Iterable

PICTURE = re.compile(r"^(?P<prefix>.*?)(?P<number>\d+)\.(jpe?g|png|bmp|tiff?|webp)$", re.IGNORECASE)
"""`<prefix><number>.jpg`, `.png` and the like."""

A_PICTURE = re.compile(r"\.(jpe?g|png|bmp|tiff?|webp|ppm)$", re.IGNORECASE)
"""What ends so is a picture, and no video (a `.webp` may be either)."""


def holds_pictures(folder: str | os.PathLike[str]) -> bool:
    """Whether it is a folder of numbered pictures, the frames of a video."""
    try:
        with os.scandir(folder) as entries:
            found = [entry.path for entry in entries if PICTURE.match(entry.name)]
    except OSError:
        return False
    return any(not path.lower().endswith(".webp") for path in found) or (bool(found) and is_still(min(found)))


def without_stills(folder: str | os.PathLike[str], files: Iterable[str]) -> list[str]:
    """The names of files in a folder without those of numbered stills: `.webp` may be a film, or one of its pictures.

    The first of them tells for all.
    """
    files = list(files)
    numbered = {file for file in files if file.lower().endswith(".webp") and PICTURE.match(file)}
    if not numbered or not is_still(os.path.join(folder, min(numbered))):
        return files
    return [file for file in files if file not in numbered]


def is_still(file: str) -> bool:
    """Whether a `.webp` is one picture: its header has no flag of an animation.

    https://developers.google.com/speed/webp/docs/riff_container, "Extended file format".
    """
    try:
        with open(file, "rb") as stream:
            head = stream.read(21)
    except OSError:
        return False
    if len(head) < 21 or head[:4] != b"RIFF" or head[8:12] != b"WEBP":
        return False
    return head[12:16] != b"VP8X" or not head[20] & 2
