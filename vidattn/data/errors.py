"""What goes wrong with a video file."""


class VideoDecodeError(RuntimeError):
    """A video cannot be opened or decoded; the message is `path: reason; next move`.

    Data loader workers can raise it in the parent process: it survives pickling, and torch's way of building the
    exception anew from its message alone.

    >>> print(VideoDecodeError("clips/a.mp4", "the file is empty; download it again"))
    clips/a.mp4: the file is empty; download it again

    Args:
        path: the file, or "<bytes>".
        reason: what failed, and what to do now.
    """

    def __init__(self, path: str, reason: str = "") -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" if self.reason else self.path


class DecodeTimeoutError(VideoDecodeError):
    """Opening or decoding a video took longer than the limit that was set for it."""


class PassingError(VideoDecodeError):
    """What failed may be the machine and not the file: memory, a disk, rights, too many open files. The video is
    skipped like others, but not remembered as a broken one."""


class DecoderKilledError(PassingError):
    """The process that opened or decoded a video was ended from outside, as where memory is short."""
