"""Which part of a file is meant, where a list names more than whole files."""

from collections.abc import Mapping
from typing import NamedTuple


class Segment(NamedTuple):
    """A part of a video, by seconds, by frames, or by both; by default the whole of it.

    >>> Segment.of_cells({"path": "a.mp4", "start": "1.5", "end": ""})
    Segment(start=1.5, end=None, start_frame=None, end_frame=None)

    Args:
        start: first instant in seconds; None is the start of the file.
        end: it stops before this instant, in seconds; None is the end of the file.
        start_frame: first frame; None is the first of the file.
        end_frame: it stops before this frame; None, or a number beyond the last, is the end of the file.
    """

    start: float | None = None
    end: float | None = None
    start_frame: int | None = None
    end_frame: int | None = None

    @classmethod
    def of_cells(cls, cells: Mapping[str, str | None]) -> "Segment":
        """As the columns `start`, `end`, `start_frame` and `end_frame` say it; an absent or empty one says nothing.

        Raises:
            ValueError: a cell holds no number, or one of frames no whole number.
        """
        start, end = (float(cell) if (cell := cells.get(name)) else None for name in ("start", "end"))
        first, stop = (int(cell) if (cell := cells.get(name)) else None for name in ("start_frame", "end_frame"))
        return cls(start, end, first, stop)


WHOLE_FILE = Segment()
