"""What a test has found, in the words of its task: the scorecard puts them beside what the run was."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Report:
    """A task's part of the scorecard.

    Args:
        numbers: what `scorecard.json` holds, by name.
        rows: what the table on the terminal shows, in words.
        videos: how many videos the numbers are of; None where the task does not count them.
        each: of each video that was scored a row: `video`, its number in the list, and what the task says of it.
        figures: pictures to be written beside the scorecard, by the names of their files; drawn when asked for.
        warnings: what may be wrong with the numbers.
    """

    numbers: Mapping[str, float] = field(default_factory=dict)
    rows: Mapping[str, str] = field(default_factory=dict)
    videos: int | None = None
    each: Sequence[Mapping[str, object]] = ()
    figures: Mapping[str, Callable[[], "Figure"]] = field(default_factory=dict)
    warnings: Sequence[str] = ()
