"""How a command ends at a mistake of the user's: in a line, with status 2."""

import re
import sys

from vidattn.data.errors import VideoDecodeError
from vidattn.mistakes import Mistake

# Torch makes the traceback of an error in a data worker a part of the message, and the message proper its end.
_WORKER = re.compile(r"Caught (?P<kind>\w+) in DataLoader worker.*\n *[\w.]*(?P=kind): (?P<message>.*\S)", re.DOTALL)


def leave_at_mistake(command: str, error: Exception) -> None:
    """Say a mistake of the user's in a line and leave with status 2; return where it is none."""
    if (line := mistake(error)) is not None:
        print(f"vidattn {command}: {line}", file=sys.stderr)
        sys.exit(2)


def mistake(error: Exception) -> str | None:
    """What is to be said of a user's mistake, also where a data worker has raised it; None where the error is none.

    >>> mistake(VideoDecodeError("clips/a.mp4", "the file is empty"))
    'clips/a.mp4: the file is empty'
    >>> mistake(ValueError("raised by Python, or by a library")) is None
    True
    """
    if not isinstance(error, Mistake | VideoDecodeError | OSError):
        return None
    worker = _WORKER.match(str(error))
    return worker["message"] if worker else str(error)
