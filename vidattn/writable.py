"""Whether output can be written: asked before hours of work rather than after them."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vidattn.mistakes import Mistake

_ROOM = "make room there, or name another place for the output"
_WAYS_OUT = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EROFS: "name another place for the output",
    errno.EFBIG: "files may not be so large here (ulimit -f); allow larger ones, or name another place for the output",
    errno.EMFILE: "allow more of them (ulimit -n 4096), or let fewer processes work",
}


def check_place(path: Path, folder: bool, size: int = 1 << 16) -> None:
    """Raise unless a file, or files in the folder, can be written there; folders above may be missing.

    Args:
        size: bytes that are wanted at least.

    Raises:
        ValueError: something else lies there or above it, writing is not permitted, or the disk is full.
    """
    if path.exists() and path.is_dir() != folder:
        raise Mistake(f"{path} is a {'file' if folder else 'folder'}; name another place for the output")
    there = next(place for place in (path, *path.parents) if place.exists())
    if there != path and not there.is_dir():
        raise Mistake(f"{path}: {there} is a file; name another place for the output")
    if not os.access(there, os.W_OK):
        raise Mistake(f"{path}: {there} must not be written to; name another place for the output")
    if (free := shutil.disk_usage(there).free) < size:
        raise Mistake(
            f"{path}: the disk of {there} has {free / 1e6:.1f} MB free, and {size / 1e6:.1f} MB are needed at least; "
            f"{_ROOM}"
        )


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


def no_room(error: OSError) -> bool:
    """Whether an error says that nothing more can be written, whatever it is."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


def refused(error: OSError, place: str | Path | None = None) -> str | None:
    """What the system refused, for which file, and what helps; None where nothing is known to help.

    >>> refused(OSError(28, "No space left on device"), "run/last.ckpt")
    'run/last.ckpt: no space left on device; make room there, or name another place for the output'

    Args:
        place: what was written, where the error does not say.
    """
    if error.errno not in _WAYS_OUT:
        return None
    place = error.filename2 or error.filename or place
    reason = (error.strerror or os.strerror(error.errno)).lower()
    return f"{'' if place is None else f'{place}: '}{reason}; {_WAYS_OUT[error.errno]}"


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """What the system refuses within is a mistake that names the file, or this place.

    Raises:
        ValueError: there is no room, or the place is read-only.
    """
    try:
        yield
    except OSError as error:
        if (line := refused(error, place)) is None:
            raise
        raise Mistake(line) from error


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
