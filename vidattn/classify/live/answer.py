"""An answer about the last seconds of a stream."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vidattn.calibration.calibration import NONE, Threshold
from vidattn.classify.prediction import Answered
from vidattn.classify.timeline import clock
from vidattn.wording import counted, printable


@dataclass(frozen=True, eq=False)
class LiveAnswer(Answered):
    """What the model says of a window, and what was lost until then.

    Args:
        start: second of the stream that its first frame is shown at; the stream begins at 0.
        end: likewise of its last.
        class_names: K names.
        probabilities: `(K,)`.
        late: seconds from the coming of its last frame to the answer.
        repeated: how many of its frames are there twice, as frames come more slowly than the network looks.
        frames: how many have come.
        dropped: how many of these were to be looked at and were not, as the machine is too slow.
        skipped: answers that were due and were left out for that.
        threshold: from which probability on the likeliest class is an answer; always where None.
    """

    start: float
    end: float
    class_names: Sequence[str]
    probabilities: np.ndarray
    late: float
    repeated: int
    frames: int
    dropped: int
    skipped: int
    threshold: Threshold | None = None

    def to_dict(self, top: int = 5) -> dict[str, Any]:
        """Plain values."""
        return {
            "start": round(self.start, 3),
            "end": round(self.end, 3),
            "answer": self.name,
            "top": [{"class": name, "probability": probability} for name, probability in self.top(top)],
            "late": round(self.late, 3),
            "repeated": self.repeated,
            "frames": self.frames,
            "dropped": self.dropped,
            "skipped": self.skipped,
        }

    def line(self, top: int = 3) -> str:
        """One line for a terminal."""
        said = ", ".join(f"{name} {probability:.1%}" for name, probability in self.top(top))
        lost = [f"{counted(self.dropped, 'frame')} dropped"] if self.dropped else []
        lost += [f"{self.repeated} of {self.repeated + 1} frames are the same"] if self.repeated else []
        about = "; ".join([f"{self.late:.2f} s late", *lost])
        return printable(f"{clock(self.end)}  {f'{NONE}: ' if self.is_none else ''}{said}  ({about})")

    def __str__(self) -> str:
        return self.line()
