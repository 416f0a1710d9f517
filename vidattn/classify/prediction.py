"""Answers about whole videos: they print as a table, show as a card in a notebook, and convert to plain data."""

import io
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from rich.console import Console, ConsoleRenderable, Group
from rich.markup import escape
from rich.table import Column, Table
from rich.text import Text

from vidattn.answers import write_answers
from vidattn.calibration.calibration import NONE, Threshold
from vidattn.classify.show.bar import Bar
from vidattn.classify.show.page import list_html, prediction_html
from vidattn.classify.show.strip import Strip
from vidattn.mistakes import MissingLibraryError, Mistake
from vidattn.wording import counted, printable

if TYPE_CHECKING:
    from pandas import DataFrame

_BAR = 24  # characters of a bar of 100%


class Answer(NamedTuple):
    """A class and how likely the model holds it, in [0, 1]."""

    name: str
    probability: float


class Answered:
    """What every answer with a threshold tells."""

    class_names: Sequence[str]
    probabilities: np.ndarray
    threshold: Threshold | None

    @property
    def is_none(self) -> bool:
        """Whether the answer is "none of these": no class is as likely as the threshold says."""
        return bool(doubts(self.threshold, self.probabilities))

    @property
    def name(self) -> str:
        """The likeliest class; "none of these" where even that is less likely than the threshold."""
        return NONE if self.is_none else self.top(1)[0].name

    @property
    def probability(self) -> float:
        """Of the likeliest class."""
        return self.top(1)[0].probability

    def top(self, count: int = 5) -> list[Answer]:
        """The likeliest classes, likeliest first."""
        return top_answers(self.probabilities, self.class_names, count)


@dataclass(frozen=True, eq=False)
class Prediction(Answered):
    """What the model says of one video.

    Args:
        path: the file, "<bytes>" or "<array>".
        class_names: K names.
        probabilities: `(K,)`, the mean over the views.
        num_views: clips times crops.
        strip: the frames of the middle view.
        notes: what was assumed, and what was done about a video that is too short.
        threshold: from which probability on the likeliest class is an answer; always where None.
    """

    path: str
    class_names: Sequence[str]
    probabilities: np.ndarray
    num_views: int
    strip: Strip
    notes: list[str]
    threshold: Threshold | None = None

    def to_dict(self, top: int = 5) -> dict[str, Any]:
        """Plain values: path, top, views, seconds (of the frames in the strip) and notes."""
        return {
            "path": self.path,
            **({} if self.threshold is None else {"answer": self.name}),
            "top": [{"class": name, "probability": probability} for name, probability in self.top(top)],
            "views": self.num_views,
            "seconds": self.strip.seconds,
            "notes": self.notes,
        }

    def to_json(self, top: int = 5) -> str:
        """`to_dict` as JSON."""
        return json.dumps(self.to_dict(top), indent=2)

    def to_dataframe(self, top: int = 5) -> "DataFrame":
        """A pandas row for each of the likeliest classes: path, rank, class, probability (needs pandas)."""
        return Predictions([self]).to_dataframe(top)

    def save(self, file: str | Path, top: int = 5) -> None:
        """Write `.json` or `.csv`, as `Predictions.save`."""
        Predictions([self]).save(file, top)

    def to_html(self, top: int = 5) -> str:
        """A card: bars of the likeliest classes beside the frames that the model saw, all in one piece of HTML."""
        return prediction_html(self.path, self.top(top), self.strip, self.notes)

    def table(self, top: int = 5) -> ConsoleRenderable:
        """What rich prints: the likeliest classes with bars, and the notes."""
        table = Table(show_header=False, box=None, padding=(0, 1))
        if self.is_none:
            table.add_row(NONE)
        for name, probability in self.top(top):
            table.add_row(escape(name), f"{probability:.1%}", Bar(round(_BAR * probability)))
        return Group(Text(self.path, style="bold"), table, *(Text(f" {note}", style="dim") for note in self.notes))

    def __rich__(self) -> ConsoleRenderable:
        return self.table()

    def __str__(self) -> str:
        return as_text(self)

    def __repr__(self) -> str:
        return f"<Prediction {printable(self.path)}: {self.name} {self.probability:.1%}>"

    def _repr_html_(self) -> str:
        return self.to_html()


class Predictions(Sequence[Prediction]):
    """What the model says of several videos, in their order, and the files that could not be read.

    Args:
        predictions: of the videos that could be read.
        skipped: file and reason of each that could not.
    """

    def __init__(self, predictions: Sequence[Prediction], skipped: Sequence[tuple[str, str]] = ()) -> None:
        self._predictions = list(predictions)
        self.skipped = list(skipped)

    def __getitem__(self, index: Any) -> Any:
        found = self._predictions[index]
        return Predictions(found) if isinstance(index, slice) else found

    def __iter__(self) -> Iterator[Prediction]:
        return iter(self._predictions)

    def __len__(self) -> int:
        return len(self._predictions)

    def to_dicts(self, top: int = 5) -> list[dict[str, Any]]:
        """A dict for each video; `{path, error}` for each that could not be read, at the end."""
        rows = [prediction.to_dict(top) for prediction in self]
        return rows + [{"path": path, "error": reason} for path, reason in self.skipped]

    def to_json(self, top: int = 5) -> str:
        """`to_dicts` as JSON."""
        return json.dumps(self.to_dicts(top), indent=2)

    def to_dataframe(self, top: int = 5) -> "DataFrame":
        """A pandas row for each video and each of its likeliest classes: path, rank, class, probability."""
        try:
            import pandas
        except ImportError as error:
            raise MissingLibraryError(
                "to_dataframe needs pandas: pip install pandas (or use to_dict, to_json)"
            ) from error
        rows = [
            (prediction.path, rank, *answer)
            for prediction in self
            for rank, answer in enumerate(prediction.top(top), start=1)
        ]
        return pandas.DataFrame(rows, columns=["path", "rank", "class", "probability"])

    def save(self, file: str | Path, top: int = 5) -> None:
        """Write `.json` (as `to_json`) or `.csv` (a line for each video, as `vidattn predict` does); folders are made.

        Raises:
            ValueError: the file's ending is neither.
        """
        file = Path(file)
        if file.suffix.lower() not in (".csv", ".json"):
            raise Mistake(f"{file}: answers are written as .csv or .json; choose one of these endings")
        write_answers(file, self.to_dicts(top), top)

    def __rich__(self) -> ConsoleRenderable:
        table = Table(Column("video", overflow="fold"), "answer", "", "then")
        for prediction in self:
            said = prediction.top(3)
            (name, probability), *others = [Answer(NONE, math.nan), *said[:2]] if prediction.is_none else said
            then = ", ".join(f"{other} {chance:.1%}" for other, chance in others)
            chance = "" if prediction.is_none else f"{probability:.1%}"
            table.add_row(*map(escape, (prediction.path, name, chance, then)))
        lines = [Text(f" {note}", style="dim") for note in self._notes()]
        return Group(*([table] if len(self) else []), *lines, *skipped_lines(self.skipped))

    def _notes(self) -> list[str]:
        """Each note once, with the videos that it is about where that is not all of them."""
        about: dict[str, list[str]] = {}
        for prediction in self:
            for note in prediction.notes:
                about.setdefault(note, []).append(Path(prediction.path).name)
        return [
            note if len(names) == len(self) else f"{', '.join(names[:3])}{', ...' if names[3:] else ''}: {note}"
            for note, names in about.items()
        ]

    def __str__(self) -> str:
        return as_text(self)

    def __repr__(self) -> str:
        return f"<Predictions of {counted(len(self), 'video')}, {len(self.skipped)} skipped>"

    def _repr_html_(self) -> str:
        return list_html([prediction._repr_html_() for prediction in self], self.skipped)


def doubts(threshold: Threshold | None, probabilities: np.ndarray) -> list[str]:
    """Why `(K,)` probabilities are no answer, where the likeliest class does not reach the threshold; else nothing."""
    if threshold is None or float(np.max(probabilities)) >= threshold.least:
        return []
    return [threshold.words]


def skipped_lines(skipped: Iterable[tuple[str, str]]) -> list[Text]:
    """What rich prints of videos that could not be read."""
    return [Text(f" skipped {path}: {reason}", style="red") for path, reason in skipped]


def top_answers(probabilities: np.ndarray, class_names: Sequence[str], count: int) -> list[Answer]:
    """The `count` likeliest of `(K,)` probabilities, likeliest first; of equals the first.

    >>> top_answers(np.array([0.2, 0.7, 0.1]), ["run", "jump", "sit"], 2)
    [Answer(name='jump', probability=0.7), Answer(name='run', probability=0.2)]

    Raises:
        ValueError: `count` is less than 1.
    """
    if count < 1:
        raise Mistake(f"top={count}: wanted at least one class")
    order = np.argsort(-probabilities, kind="stable")[:count]
    return [Answer(class_names[i], float(probabilities[i])) for i in order]


def as_text(renderable: Any, width: int = 100) -> str:
    """What rich would show, without colours, and as any UTF-8 output takes it."""
    text = io.StringIO()
    # Not as Jupyter's: there rich would show it at once.
    console = Console(file=text, width=width, color_system=None, legacy_windows=False, force_jupyter=False)
    console.print(renderable)
    return printable(text.getvalue().rstrip())
