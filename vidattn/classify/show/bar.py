"""A bar in a table on the terminal."""

from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text


@dataclass(frozen=True)
class Bar:
    """So many characters in a row: blocks, or number signs where the output has no blocks.

    Args:
        length: in characters.
    """

    length: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(("#" if options.ascii_only else "█") * self.length)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(self.length, self.length)
