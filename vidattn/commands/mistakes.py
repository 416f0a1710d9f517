"""Mistakes of a user's, told apart from those of the program, which keep their traceback."""

import os
import re
import traceback
from pathlib import Path

from vidattn.data.errors import VideoDecodeError

_PACKAGE = f"{Path(__file__).parents[1]}{os.sep}"
# Torch makes the traceback of an error in a data worker a part of the message: the last place, then the message proper.
_WORKER = re.compile(
    r"Caught (?P<kind>\w+) in DataLoader worker.*\n  File \"(?P<file>[^\"]+)\"[^\n]*\n(?P<code>(?: +[^\n]*\n)*)"
    r"[\w.]*(?P=kind): (?P<message>.*\S)",
    re.DOTALL,
)


def mistake(error: Exception) -> str | None:
    """What is to be said of a user's mistake; None where the error is none.

    A mistake is a video that cannot be decoded, or a `ValueError` or `FloatingPointError` that a `raise` of this
    package says: those are about configuration, lists (`ManifestError`), weights (`WeightsError`) and a loss that is
    not finite. One that Python, torch or Lightning raises is not, even if our code is what they were called by.

    >>> mistake(VideoDecodeError("clips/a.mp4", "the file is empty"))
    'clips/a.mp4: the file is empty'
    >>> mistake(ValueError("raised by nobody of ours")) is None
    True
    """
    if worker := _WORKER.match(str(error)):
        ours = isinstance(error, ValueError) and _says(worker["file"], worker["code"])
        return worker["message"] if ours or isinstance(error, VideoDecodeError) else None
    if isinstance(error, VideoDecodeError):
        return str(error)
    if isinstance(error, ValueError | FloatingPointError) and error.__traceback__ is not None:
        place = traceback.extract_tb(error.__traceback__)[-1]
        if _says(place.filename, place.line or ""):
            return str(error)
    return None


def _says(file: str, code: str) -> bool:
    """Whether this code of ours raises, and is not what something else was called by."""
    return file.startswith(_PACKAGE) and code.lstrip().startswith("raise ")
