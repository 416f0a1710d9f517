"""The one terminal that commands print to."""

from typing import IO

from rich.console import Console


def plain_console(file: IO[str] | None = None, width: int | None = None) -> Console:
    """A console that prints names as they are: it breaks no line, colours no number, and reads no markup or emoji.

    Args:
        file: where it prints to; standard output by default.
        width: of tables, in columns; the terminal's by default.
    """
    return Console(file=file, width=width, soft_wrap=True, highlight=False, markup=False, emoji=False)
