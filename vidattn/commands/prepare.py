"""`vidattn prepare`: a dataset written again so that training reads it fast."""

import signal
import sys

from vidattn.commands.options import call
from vidattn.data.prepare import prepare as library


def prepare(words: list[str]) -> None:
    """`vidattn prepare`, with the words behind it."""
    try:
        call(library.prepare, words, "prepare", positional=True)
    except KeyboardInterrupt:
        print("vidattn prepare: interrupted; give the same command again to go on", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)
