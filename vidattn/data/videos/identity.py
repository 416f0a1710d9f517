"""The identity of a file: whether it has changed since it was last looked at."""

import os
import stat

from vidattn.data.videos.members import Member

Identity = tuple[int, int]


def absolute(path: str) -> str:
    """The path as it is called from whatever folder; a URL as it is.

    >>> absolute("s3://bucket/shard-00000.tar#512+30000#a.mp4")
    's3://bucket/shard-00000.tar#512+30000#a.mp4'
    """
    return path if "://" in path else os.path.abspath(path)


def identity(path: str) -> Identity | None:
    """Bytes, and nanoseconds of the last writing; of a video in a shard, those of the shard.

    None where it is gone, behind a URL, or a folder of pictures: writing one of them anew leaves the folder as it is.
    """
    status = status_of(path)
    return None if status is None or stat.S_ISDIR(status.st_mode) else (status.st_size, status.st_mtime_ns)


def status_of(path: str) -> os.stat_result | None:
    """What the system says of a file; of a video in a shard, of the shard. None where it is gone, or behind a URL."""
    member = Member.parse(path)
    try:
        return os.stat(path if member is None else member.shard)
    except OSError:
        return None
