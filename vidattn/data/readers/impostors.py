"""What a file is that is named like a video but is none, as a failed download or a bad archive leaves."""

from typing import NamedTuple


class Impostor(NamedTuple):
    """What stands in a video's place.

    Args:
        kind: in a word or two, as `vidattn check` counts it.
        advice: the next move.
    """

    kind: str
    advice: str


_BEGINNINGS = (
    (b"version https://git-lfs", Impostor("Git LFS pointer", "fetch the video itself: git lfs pull in its repository")),
    (b"<!doctype html", Impostor("web page", "open it in a browser to see what the server said, and download it anew")),
    (b"<html", Impostor("web page", "open it in a browser to see what the server said, and download it anew")),
    (b"<?xml", Impostor("XML text", "look into it, it may be a server's refusal, and download the video anew")),
    (b'{"', Impostor("JSON text", "look into it, it may be a server's refusal, and download the video anew")),
    (b"pk\x03\x04", Impostor("zip archive", "unpack it, and give what is in it")),
    (b"\x1f\x8b", Impostor("gzip archive", "unpack it, and give what is in it")),
    (b"7z\xbc\xaf\x27\x1c", Impostor("7z archive", "unpack it, and give what is in it")),
    (b"rar!", Impostor("rar archive", "unpack it, and give what is in it")),
)
_LOOKED_AT = 512  # bytes


def impostor(source: str | bytes) -> Impostor | None:
    """What a file (its path or its bytes) is by its first bytes, where those tell that it is no video.

    >>> impostor(b"version https://git-lfs.github.com/spec/v1\\noid sha256:4d7a2146\\n").kind
    'Git LFS pointer'
    """
    if isinstance(source, bytes):
        head = source[:_LOOKED_AT]
    else:
        try:
            with open(source, "rb") as stream:
                head = stream.read(_LOOKED_AT)
        except OSError:
            return None
    head = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return next((found for beginning, found in _BEGINNINGS if head.startswith(beginning)), None)
