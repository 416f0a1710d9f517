"""Mistakes of a user's, told apart from those of the program, which keep their traceback."""

import os
import re
import traceback
from pathlib import Path

from vidattn.data.errors import VideoDecodeError

_PACKAGE = f"{Path(__file__).parent}{os.sep}"


def mistake(error: Exception) -> str | None:
    """What is to be said of a user's mistake; None where the error is none.

    A mistake is a video that cannot be decoded, or a `ValueError` that a `raise` of this package says: those are about
    configuration, lists (`ManifestError`) and weights (`WeightsError`). One that Python, torch or Lightning raises is
    not, even if our code is what they were called by.

    >>> mistake(VideoDecodeError("clips/a.mp4", "the file is empty"))
    'clips/a.mp4: the file is empty'
    >>> mistake(ValueError("raised by nobody of ours")) is None
    True
    """
    if isinstance(error, VideoDecodeError):
        return _without_traceback(str(error))
    if isinstance(error, ValueError) and error.__traceback__ is not None:
        place = traceback.extract_tb(error.__traceback__)[-1]
        if place.filename.startswith(_PACKAGE) and (place.line or "").startswith("raise "):
            return str(error)
    return None


def _without_traceback(message: str) -> str:
    """`path: reason`, also where torch has put the traceback of a data worker before it."""
    if not re.match(r"Caught \w+ in DataLoader worker", message):
        return message
    return message.rpartition(f"{VideoDecodeError.__name__}: ")[2].strip()
