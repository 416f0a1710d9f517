"""Files in which seeking went wrong, remembered for as long as the process lives: a worker meets them every epoch."""

from vidattn.data.videos.identity import status_of
from vidattn.data.videos.members import Member

_Identity = tuple[int, int, int, int] | str
_unsafe: set[_Identity] = set()


def remember_unsafe(path: str) -> None:
    """Readers opened from now on decode this file from its start; forgotten when the file is written anew."""
    if identity := _identity(path):
        _unsafe.add(identity)


def is_unsafe(path: str) -> bool:
    """Whether this file was remembered as unsafe, under any of its names."""
    return bool(_unsafe) and _identity(path) in _unsafe


def _identity(path: str) -> _Identity | None:
    """Device, number, size and time of writing; a shard's member has its name, videos given as bytes have None."""
    if Member.parse(path):
        return path
    status = status_of(path)
    return None if status is None else (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
