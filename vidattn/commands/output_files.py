"""Files that a command writes beside what it shows: looked at before the work, and written when it is done."""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from vidattn.mistakes import Mistake
from vidattn.writable import check_place

Writer = Callable[[Path], None]


def check_output(file: Path | None, *endings: str) -> None:
    """Raise where a file could not be written; where none is asked for there is nothing to check.

    Args:
        file: to be written, in a folder that exists.
        endings: that its name may have; any where none are given.

    Raises:
        Mistake: its name ends in something else, or it cannot be written there.
    """
    if file is None:
        return
    if endings and file.suffix not in endings:
        raise Mistake(f"{file}: wanted a name that ends in {' or '.join(endings)}")
    check_place(file, folder=False)
    if not file.parent.is_dir():
        raise Mistake(f"{file}: the folder {file.parent} does not exist; make it first")


def write_output(
    command: str, files: Iterable[tuple[Path | None, Writer]], say: Callable[[str], object] = print
) -> bool:
    """Write the files that are asked for, one after the other, and say their names; whether all could be written.

    One that cannot is named on the error stream, and the others are written all the same.

    Args:
        command: that writes, such as "vidattn detect", for the message.
        files: each with what writes it; None where it is not asked for.
        say: takes what is said of a file that is written.
    """
    complete = True
    for file, write in files:
        if file is None:
            continue
        try:
            write(file)
        except OSError as error:
            print(f"{command}: {file}: cannot write it ({error.strerror or error})", file=sys.stderr)
            complete = False
        else:
            say(f"wrote {file}")
    return complete
