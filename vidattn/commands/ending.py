"""How a command ends at a mistake of the user's: in a line, with status 2."""

import re
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from vidattn.data.errors import VideoDecodeError
from vidattn.mistakes import Mistake
from vidattn.writable import refused

# Torch makes the traceback of an error in a data worker a part of the message, and the message proper its end.
_WORKER = re.compile(r"Caught (?P<kind>\w+) in DataLoader worker.*\n *[\w.]*(?P=kind): (?P<message>.*\S)", re.DOTALL)


class Ended:
    """By which signal a command was asked to end; Ctrl-C where no other has come."""

    def __init__(self) -> None:
        self.signal = signal.SIGINT

    @property
    def word(self) -> str:
        """For the line that says it."""
        return "interrupted" if self.signal == signal.SIGINT else "terminated"

    @property
    def status(self) -> int:
        """To leave with, as shells give it."""
        return 128 + self.signal


@contextmanager
def sigterm_interrupts() -> Iterator[Ended]:
    """SIGTERM (a job's time is over) is a `KeyboardInterrupt` within, so that what Ctrl-C keeps is kept as well."""
    ended = Ended()

    def interrupt(number: int, _: object) -> NoReturn:
        ended.signal = signal.Signals(number)
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():  # where none can be caught
        yield ended
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield ended
    finally:
        signal.signal(signal.SIGTERM, before)


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
    if isinstance(error, OSError) and (line := refused(error)) is not None:
        return line
    worker = _WORKER.match(str(error))
    return worker["message"] if worker else str(error)
