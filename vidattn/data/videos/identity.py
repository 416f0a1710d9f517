"""Which file a path means, and whether it is still the one that something was found out about."""

import os

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
    member = Member.parse(path)
    file = path if member is None else member.shard
    try:
        status = os.stat(file)
    except OSError:
        return None
    return None if os.path.isdir(file) else (status.st_size, status.st_mtime_ns)
