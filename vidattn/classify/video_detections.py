"""Who does what, where, in one video: boxes frame by frame, and tubes."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vidattn.classify.show.people import detections_html
from vidattn.detection.found import FrameBoxes
from vidattn.detection.tubes import Tube
from vidattn.mistakes import Mistake
from vidattn.wording import counted, printable

Row = dict[str, Any]


@dataclass(frozen=True, eq=False, repr=False)
class VideoDetections:
    """What a detector has found in a video; a notebook shows it as a card.

    Args:
        path: the video.
        class_names: of the actions, in their order.
        seconds: when each frame is shown.
        frames: what was found in each, at least half as sure as tubes must be; frames without anybody have no boxes.
        tubes: boxes of one action of one person over time, the surest first.
        notes: what a reader of the answer should know.
        pictures: by number some frames that show the tubes, as small JPEGs; nothing is drawn on them. They may be
            decoded only when they are asked for (`vidattn.classify.show.video_pictures`).
    """

    path: str
    class_names: Sequence[str]
    seconds: Sequence[float] = field(repr=False)
    frames: Sequence[FrameBoxes] = field(repr=False)
    tubes: Sequence[Tube]
    notes: Sequence[str] = ()
    pictures: Mapping[int, bytes] = field(default_factory=dict)

    def summary(self) -> list[Row]:
        """A row for each tube: its number, action, score, and from when to when it goes."""
        return [
            {
                "tube": number,
                "action": self.class_names[tube.action],
                "score": round(tube.score, 4),
                "from": round(self.seconds[int(tube.frames[0])], 3),
                "to": round(self.seconds[int(tube.frames[-1])], 3),
                "boxes": len(tube.frames),
            }
            for number, tube in enumerate(self.tubes)
        ]

    def rows(self) -> list[Row]:
        """A row for each box of each tube; sides are fractions of the picture."""
        return rows_of(self.to_dict())

    def to_dict(self) -> Row:
        """Everything but the boxes outside tubes, in plain values."""
        tubes = [
            about | {"boxes": [self._box(*one) for one in zip(tube.frames, tube.boxes, strict=True)]}
            for about, tube in zip(self.summary(), self.tubes, strict=True)
        ]
        return {"path": self.path, "tubes": tubes, "notes": list(self.notes)}

    def _box(self, frame: int, sides: np.ndarray) -> Row:
        when = {"frame": int(frame), "second": round(self.seconds[int(frame)], 3)}
        return when | {name: round(float(side), 4) for name, side in zip(("x1", "y1", "x2", "y2"), sides, strict=True)}

    def on(self, frame: int) -> list[tuple[Tube, np.ndarray]]:
        """The tubes that a frame shows, each with its box there."""
        found = []
        for tube in self.tubes:
            place = int(np.searchsorted(tube.frames, frame))
            if place < len(tube.frames) and tube.frames[place] == frame:
                found.append((tube, tube.boxes[place]))
        return found

    def to_html(self) -> str:
        """A card: drawn frames, a table of the tubes, and when each goes, all in one piece of HTML."""
        return detections_html(self)

    def __repr__(self) -> str:
        return f"<VideoDetections of {printable(self.path)}: {counted(len(self.tubes), 'tube')}>"

    def _repr_html_(self) -> str:
        return self.to_html()


COLUMNS = ("path", "frame", "x1", "y1", "x2", "y2", "label", "score", "person")
"""Of the CSV: a list of boxes that `data.boxes.file` takes, with what it does not read beside."""


def rows_of(told: Row) -> list[Row]:
    """A row for each box of each tube, of what `VideoDetections.to_dict` gives."""
    return [
        {"path": told["path"], **box, "label": tube["action"], "score": tube["score"], "person": tube["tube"]}
        for tube in told["tubes"]
        for box in tube["boxes"]
    ]


def write_csv(path: Path, found: Iterable[VideoDetections]) -> None:
    """The boxes of all tubes, a line each."""
    write_told_csv(path, (video.to_dict() for video in found))


def write_json(path: Path, found: Iterable[VideoDetections], skipped: Sequence[tuple[str, str]] = ()) -> None:
    """All videos, and those that could not be read."""
    write_told_json(path, (video.to_dict() for video in found), skipped)


def write_told_csv(path: Path, told: Iterable[Row]) -> None:
    """As `write_csv`, of what `VideoDetections.to_dict` gives, one video after the other."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS, extrasaction="ignore", lineterminator="\n")
        table.writeheader()
        for video in told:
            table.writerows(rows_of(video))


def write_told_json(path: Path, told: Iterable[Row], skipped: Sequence[tuple[str, str]] = ()) -> None:
    """As `write_json`, likewise; a line for each video."""
    missed = [{"path": name, "reason": reason} for name, reason in skipped]
    with open(path, "w", encoding="utf-8") as file:
        file.write('{"videos": [')
        for place, video in enumerate(told):
            file.write(("," if place else "") + "\n" + json.dumps(video))
        file.write("\n],\n" + f'"skipped": {json.dumps(missed)}' + "}\n")


def check_names(class_names: Sequence[str], count: int) -> list[str]:
    """As many names as there are actions: numbers where nobody knows them.

    Raises:
        Mistake: there are others.
    """
    if class_names and len(class_names) != count:
        raise Mistake(f"{len(class_names)} class names for {count} actions; the checkpoint is damaged")
    return list(class_names) or [str(number) for number in range(count)]
