"""Turns whatever a library raises while reading a video into our own error, with the path."""

from collections.abc import Iterator
from contextlib import contextmanager

from vidattn.data.errors import PassingError, VideoDecodeError
from vidattn.data.readers.base import REENCODE, first_line


@contextmanager
def library_errors(path: str, reader: str, advice: str = REENCODE) -> Iterator[None]:
    """Every exception from within becomes a VideoDecodeError; ours, interrupts and a missing backend pass as they are.

    Decoders are large and old, and files come from anywhere: nobody can list what they raise. So only calls of theirs
    belong within, after our own checks of what the caller wants.

    >>> with library_errors("clips/a.mp4", "pyav"):
    ...     raise ValueError("29 is not a valid Type")
    Traceback (most recent call last):
    vidattn.data.errors.VideoDecodeError: clips/a.mp4: pyav failed (ValueError: 29 is not a valid Type); re-encode...

    Args:
        path: the file, for messages.
        reader: who reads it, for messages.
        advice: the next move where the file may be at fault.

    Raises:
        PassingError: memory was short, or the system refused something: the file need not be at fault.
        VideoDecodeError: anything else.
    """
    try:
        yield
    except (VideoDecodeError, ImportError):
        raise
    except MemoryError as error:
        raise PassingError(path, f"there was not enough memory for {reader} to read it; use fewer workers") from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            reason = f"cannot read it ({error.strerror or error}); check the disk and your access to the file"
            raise PassingError(path, reason) from error
        what = f"{type(error).__name__}: {first_line(error)}" if str(error).strip() else type(error).__name__
        raise VideoDecodeError(path, f"{reader} failed ({what}); {advice}") from error


@contextmanager
def opening_errors(path: str) -> Iterator[None]:
    """As `library_errors`, around the opening of a video by a reader of any kind.

    A ValueError passes: a reader that is not known or lacks its device, or a stream of text. What a library raises over
    a file is our own error by then, since readers open it under `foreign_errors`.
    """
    try:
        yield
    except ValueError:
        raise
    except Exception:
        with library_errors(path, "the reader"):
            raise
