"""Whether output can be written: asked before hours of work rather than after them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vidattn.mistakes import Mistake


def check_place(path: Path, folder: bool) -> None:
    """Raise unless a file, or files in the folder, can be written there; folders above may be missing.

    Raises:
        ValueError: something else lies there or above it, or writing is not permitted.
    """
    if path.exists() and path.is_dir() != folder:
        raise Mistake(f"{path} is a {'file' if folder else 'folder'}; name another place for the output")
    there = next(place for place in (path, *path.parents) if place.exists())
    if there != path and not there.is_dir():
        raise Mistake(f"{path}: {there} is a file; name another place for the output")
    if not os.access(there, os.W_OK):
        raise Mistake(f"{path}: {there} must not be written to; name another place for the output")


def make_folder(folder: Path) -> None:
    """The folder and those above it, where they are missing.

    Raises:
        ValueError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Mistake(
            f"{folder}: cannot make this folder ({error.strerror}); name another place for the output"
        ) from error


@contextmanager
def put_in_place(file: Path) -> Iterator[Path]:
    """A name beside `file` to write to: what stands there at the end takes the place of `file`, whole or not at all.

    Raises:
        OSError: it cannot be put there; what was half written is removed, as with any other error within.
    """
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
