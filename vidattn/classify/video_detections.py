"""Who does what, where, in one video: boxes frame by frame, and tubes."""

import csv
import json
from collections.abc import Mapping, Sequence
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
        return [
            {"path": self.path, "frame": int(frame), "second": round(self.seconds[int(frame)], 3)}
            | {name: round(float(side), 4) for name, side in zip(("x1", "y1", "x2", "y2"), box, strict=True)}
            | {"label": self.class_names[tube.action], "score": round(tube.score, 4), "person": number}
            for number, tube in enumerate(self.tubes)
            for frame, box in zip(tube.frames, tube.boxes, strict=True)
        ]

    def to_dict(self) -> Row:
        """Everything but the boxes outside tubes, in plain values."""
        boxes: dict[int, list[Row]] = {}
        for row in self.rows():
            kept = {name: row[name] for name in ("frame", "second", "x1", "y1", "x2", "y2")}
            boxes.setdefault(row["person"], []).append(kept)
        tubes = [about | {"boxes": boxes[about["tube"]]} for about in self.summary()]
        return {"path": self.path, "tubes": tubes, "notes": list(self.notes)}

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


def write_csv(path: Path, found: Sequence[VideoDetections]) -> None:
    """The boxes of all tubes, a line each."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS, extrasaction="ignore", lineterminator="\n")
        table.writeheader()
        for video in found:
            table.writerows(video.rows())


def write_json(path: Path, found: Sequence[VideoDetections], skipped: Sequence[tuple[str, str]] = ()) -> None:
    """All videos, and those that could not be read."""
    told = [{"path": name, "reason": reason} for name, reason in skipped]
    text = json.dumps({"videos": [video.to_dict() for video in found], "skipped": told}, indent=2)
    path.write_text(text + "\n", encoding="utf-8")


def check_names(class_names: Sequence[str], count: int) -> list[str]:
    """As many names as there are actions: numbers where nobody knows them.

    Raises:
        Mistake: there are others.
    """
    if class_names and len(class_names) != count:
        raise Mistake(f"{len(class_names)} class names for {count} actions; the checkpoint is damaged")
    return list(class_names) or [str(number) for number in range(count)]
