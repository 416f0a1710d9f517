"""A video inside a tar shard, on disk or behind any URL that fsspec opens: named by where its bytes lie."""

import re
from typing import NamedTuple, Self

import fsspec

from vidattn.data.errors import VideoDecodeError

_MEMBER = re.compile(r"^(?P<shard>.+\.tar)#(?P<offset>\d+)\+(?P<size>\d+)#(?P<name>.+)$", re.DOTALL)


class Member(NamedTuple):
    """One file in an uncompressed tar. As a string it stands wherever the path of a video may.

    >>> str(Member("s3://bucket/shard-00000.tar", 512, 30000, "dance/a.mp4"))
    's3://bucket/shard-00000.tar#512+30000#dance/a.mp4'
    >>> Member.parse("s3://bucket/shard-00000.tar#512+30000#dance/a.mp4").offset
    512
    >>> Member.parse("dance/a.mp4") is None
    True
    """

    shard: str
    offset: int
    size: int
    name: str

    def __str__(self) -> str:
        return f"{self.shard}#{self.offset}+{self.size}#{self.name}"

    @classmethod
    def parse(cls, path: str) -> Self | None:
        """The member that a string names; None where it is an ordinary path."""
        match = _MEMBER.match(path)
        return cls(match["shard"], int(match["offset"]), int(match["size"]), match["name"]) if match else None

    def read(self) -> bytes:
        """Its bytes: one request for just these.

        Raises:
            VideoDecodeError: the shard cannot be read, or ends too early.
        """
        try:
            files, path = fsspec.core.url_to_fs(self.shard)
            data = files.cat_file(path, start=self.offset, end=self.offset + self.size)
        except Exception as error:  # every kind of storage has its own
            reason = f"cannot read the shard ({type(error).__name__}: {error}); check its address and your access to it"
            raise VideoDecodeError(str(self), reason) from error
        if len(data) != self.size:
            raise VideoDecodeError(str(self), f"the shard ends after {len(data)} of these bytes; copy it again")
        return data
