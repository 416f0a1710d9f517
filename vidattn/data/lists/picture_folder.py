"""Folders of pictures, as they stand on the disk."""

import os
import re

PICTURE = re.compile(r"^(?P<prefix>.*?)(?P<number>\d+)\.(jpe?g|png)$", re.IGNORECASE)
"""`<prefix><number>.jpg` or `.png`."""


def holds_pictures(folder: str | os.PathLike[str]) -> bool:
    """Whether it is a folder of numbered pictures, the frames of a video."""
    try:
        with os.scandir(folder) as entries:
            return any(PICTURE.match(entry.name) for entry in entries)
    except OSError:
        return False
