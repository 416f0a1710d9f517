"""What all kinds of box list share: rows, as they stand there."""

from collections.abc import Sequence
from typing import NamedTuple

Box = tuple[float, float, float, float]


class BoxRow(NamedTuple):
    """One label of one person in one frame.

    Args:
        where: the row, for messages: "line 3: 'a.mp4,0,0.1,...'".
        video: the absolute path of the file, or what the dataset calls it: the end of its path.
        box: x1, y1, x2, y2.
        label: the class as written there, a name or a number.
        frame: number within the file, from 0; None where the list has seconds.
        second: instant within the file; None where the list has frames.
        size: width and height of the picture that `box` counts pixels of: (1, 1) for fractions; None for pixels of a
            picture whose size only the file tells.
        person: who it is across frames; empty where the list does not say.
    """

    where: str
    video: str
    box: Box
    label: str
    frame: int | None = None
    second: float | None = None
    size: tuple[float, float] | None = (1, 1)
    person: str = ""


class BoxListing(NamedTuple):
    """All rows of a list.

    Args:
        rows: in their order.
        class_names: in the order of their numbers, where the list says them.
        videos: all that the list is about, where it says so: also those in which there is no one.
        left_out: how many rows were left out on purpose, by the reason.
    """

    rows: list[BoxRow]
    class_names: Sequence[str] | None = None
    videos: Sequence[str] = ()
    left_out: dict[str, int] = {}  # noqa: RUF012  (never written to)
