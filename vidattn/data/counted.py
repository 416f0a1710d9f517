"""Numbers of things in messages."""


def counted(number: int, thing: str) -> str:
    """
    >>> counted(1, "video"), counted(0, "video"), counted(1200, "video")
    ('1 video', '0 videos', '1200 videos')
    """
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
