"""What happens when: answers of windows that slide over a video."""

import base64
import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from rich.console import ConsoleRenderable, Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from vidattn.calibration.calibration import NONE, Threshold
from vidattn.classify.prediction import as_text, top_answers
from vidattn.classify.show.page import card
from vidattn.classify.show.strip import Strip
from vidattn.mistakes import MissingLibraryError, Mistake
from vidattn.wording import counted, printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame


class ClassSegment(NamedTuple):
    """A stretch of video with one answer; `probability` is the mean over its windows. Of "none of these" it is that of
    the likeliest class of each."""

    start: float
    end: float
    name: str
    probability: float


@dataclass(frozen=True, eq=False)
class Timeline:
    """What the model says of each window of one video.

    Args:
        path: the file, "<bytes>" or "<array>".
        class_names: K names.
        windows: start and end of each of n windows, in seconds.
        probabilities: `(n, K)`.
        strip: pictures spread over the video, out of those that the model saw.
        notes: what was assumed, and what was done about a video that is too short.
        threshold: from which probability on the likeliest class of a window is an answer; always where None.
    """

    path: str
    class_names: Sequence[str]
    windows: list[tuple[float, float]]
    probabilities: np.ndarray
    strip: Strip
    notes: list[str]
    threshold: Threshold | None = None

    @property
    def duration(self) -> float:
        """Of the video, in seconds."""
        return self.windows[-1][1]

    @property
    def centres(self) -> np.ndarray:
        """The middle of each window in seconds, `(n,)`."""
        return np.array(self.windows).mean(axis=1)

    @property
    def segments(self) -> list[ClassSegment]:
        """From the first second to the last: windows in a row with the same likeliest class.

        Windows overlap, so a window stands for the time that is nearer to its middle than to any other's.
        """
        return [
            ClassSegment(start, end, self._names[label], probability)
            for start, end, label, probability in self._stretches()
        ]

    def to_dict(self, top: int = 5) -> dict[str, Any]:
        """Plain values: path, duration, segments, and the windows with their likeliest classes; times in seconds."""
        windows = [
            {
                "start": start,
                "end": end,
                "top": [
                    {"class": name, "probability": probability}
                    for name, probability in top_answers(row, self.class_names, top)
                ],
            }
            for (start, end), row in zip(self.windows, self.probabilities, strict=True)
        ]
        return {
            "path": self.path,
            "duration": self.duration,
            "segments": [dict(zip(_COLUMNS[1:], segment, strict=True)) for segment in self.segments],
            "windows": windows,
            "notes": self.notes,
        }

    def to_json(self, top: int = 5) -> str:
        """`to_dict` as JSON."""
        return json.dumps(self.to_dict(top), indent=2)

    def to_dataframe(self) -> "DataFrame":
        """A pandas row for each segment: path, start, end, class, probability (needs pandas)."""
        try:
            import pandas
        except ImportError as error:
            raise MissingLibraryError(
                "to_dataframe needs pandas: pip install pandas (or use to_dict, to_json)"
            ) from error
        return pandas.DataFrame([(self.path, *segment) for segment in self.segments], columns=list(_COLUMNS))

    def save(self, file: str | Path) -> None:
        """Write `.csv` (a line for each segment), `.json` (the windows as well), or the plot as `.png`, `.svg`, `.pdf`;
        folders are made.

        Raises:
            ValueError: the file's ending is none of these.
        """
        file = Path(file)
        ending = file.suffix.lower()
        if ending not in (".csv", ".json", ".png", ".svg", ".pdf"):
            raise Mistake(f"{file}: a timeline is written as .csv, .json, .png, .svg or .pdf; choose one of these")
        file.parent.mkdir(parents=True, exist_ok=True)
        if ending == ".json":
            file.write_text(self.to_json() + "\n")
        elif ending == ".csv":
            write_segments(file, [self])
        else:
            from vidattn.plots import fonts  # matplotlib only where something is drawn

            fonts.save(self.plot(), file)

    def plot(self, top: int = 5, title: str | None = None) -> "Figure":
        """The `top` classes over time under the film strip; the title is the file's name by default.

        Raises:
            ValueError: `top` is less than 1.
        """
        if top < 1:
            raise Mistake(f"top={top}: wanted at least one class to draw")
        from vidattn.plots.over_time import plot_timeline

        wins = np.bincount(self._answers, minlength=len(self._names))[:-1]
        order = np.lexsort((-self.probabilities.mean(axis=0), -wins))[:top]
        return plot_timeline(
            self.centres,
            self._names,
            {int(label): self.probabilities[:, label] for label in order},
            [stretch[:3] for stretch in self._stretches()],
            self.strip.pictures(),
            self.strip.seconds,
            self.duration,
            title=printable(Path(self.path).name) if title is None else title,
        )

    @property
    def _names(self) -> list[str]:
        """Those of the classes, and behind them that of none."""
        return [*self.class_names, NONE]

    @property
    def _answers(self) -> np.ndarray:
        """The place in `_names` of the answer of each window."""
        least = 0.0 if self.threshold is None else self.threshold.least
        reached = self.probabilities.max(axis=1) >= least
        return np.where(reached, self.probabilities.argmax(axis=1), len(self.class_names))

    def _stretches(self) -> list[tuple[float, float, int, float]]:
        """Start, end, number of the class and mean probability of each segment."""
        edges = [0.0, *((self.centres[1:] + self.centres[:-1]) / 2).tolist(), self.duration]
        best, highest = self._answers, self.probabilities.max(axis=1)
        stretches = []
        for label, group in groupby(range(len(best)), key=lambda window: int(best[window])):
            rows = list(group)
            probability = float(highest[rows].mean())
            stretches.append((edges[rows[0]], edges[rows[-1] + 1], label, probability))
        return stretches

    def __rich__(self) -> ConsoleRenderable:
        table = Table("from", "to", "class", "")
        for start, end, name, probability in self.segments:
            table.add_row(clock(start), clock(end), escape(name), f"{probability:.1%}")
        return Group(Text(self.path, style="bold"), table, *(Text(f" {note}", style="dim") for note in self.notes))

    def __str__(self) -> str:
        return as_text(self)

    def __repr__(self) -> str:
        held = f"{counted(len(self.windows), 'window')}, {counted(len(self.segments), 'segment')}"
        return f"<Timeline of {printable(self.path)}: {held}>"

    def to_html(self) -> str:
        """The plot in a card, all in one piece of HTML."""
        from vidattn.plots import fonts

        picture = base64.b64encode(fonts.png(self.plot(title=""))).decode()
        image = (
            f'<img src="data:image/png;base64,{picture}" alt="classes over time" style="width:100%;max-width:960px">'
        )
        return card(self.path, image, self.notes)

    def _repr_html_(self) -> str:
        return self.to_html()


class TimelineInterrupted(KeyboardInterrupt):
    """Ctrl-C within a timeline.

    Attributes:
        timeline: what was answered until then.
    """

    def __init__(self, timeline: Timeline, duration: float) -> None:
        reached = f"{clock(timeline.duration)} of {clock(duration)}"
        super().__init__(f"{reached} of {printable(timeline.path)}")
        note = f"interrupted after {reached}"
        self.timeline = replace(timeline, notes=[note, *timeline.notes])


_COLUMNS = ("path", "start", "end", "class", "probability")


def write_segments(file: Path, timelines: Sequence[Timeline]) -> None:
    """CSV in UTF-8 with a line for each segment: path, start, end (seconds), class, probability.

    Bytes in a file's name that are no UTF-8 stand there as escapes.
    """
    with file.open("w", newline="", encoding="utf-8", errors="backslashreplace") as stream:
        writer = csv.writer(stream)
        writer.writerow(_COLUMNS)
        for timeline in timelines:
            for start, end, name, probability in timeline.segments:
                writer.writerow([timeline.path, f"{start:.3f}", f"{end:.3f}", name, f"{probability:.6f}"])


def clock(seconds: float) -> str:
    """Hours where there are any, minutes, and seconds to a tenth.

    >>> clock(3.25), clock(75.0), clock(3725.5)
    ('0:03.2', '1:15.0', '1:02:05.5')
    """
    tenths = round(seconds * 10)
    minutes, hours = tenths // 600 % 60, tenths // 36000
    rest = f"{tenths % 600 / 10:04.1f}"
    return f"{hours}:{minutes:02d}:{rest}" if hours else f"{minutes}:{rest}"
