"""Words that messages and tables share."""


def counted(count: int, one: str, several: str | None = None) -> str:
    """A number with its noun.

    >>> counted(1, "class", "classes"), counted(3, "video"), counted(0, "video")
    ('1 class', '3 videos', '0 videos')

    Args:
        several: the plural; `one` with an s by default.
    """
    return f"{count} {one if count == 1 else several or f'{one}s'}"


def printable(text: str) -> str:
    r"""The text with escapes for what UTF-8 cannot hold: bytes in the name of a file that are no UTF-8.

    >>> printable("bad\udcff.mp4")
    'bad\\udcff.mp4'
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
