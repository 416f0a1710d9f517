"""Is the model using time at all? Accuracy with frames in order, reversed, shuffled, and one frame repeated."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from rich.console import ConsoleRenderable, Group
from rich.table import Table
from torch import Generator, Tensor

from vidattn.classify.prediction import as_text, skipped_lines
from vidattn.mistakes import Mistake
from vidattn.wording import counted

ORDERS: dict[str, Callable[[int, Generator], Tensor]] = {
    "in order": lambda frames, generator: torch.arange(frames),
    "reversed": lambda frames, generator: torch.arange(frames).flip(0),
    "shuffled": lambda frames, generator: shuffled(frames, generator),
    "one frame repeated": lambda frames, generator: torch.full((frames,), frames // 2),
}
"""Which frames a clip of this length shows, and when; the repeated frame is the middle one."""


@dataclass(frozen=True)
class TemporalProbe:
    """How the order of frames changes the answers; every table has a value for each of `ORDERS`.

    Attributes:
        accuracy: share of clips whose likeliest class is the true one.
        unchanged: share of clips with the same answer as in order.
        num_clips: how many there were.
        chance: accuracy of guessing, 1 / K.
        skipped: file and reason of each video that could not be read.
    """

    accuracy: dict[str, float]
    unchanged: dict[str, float]
    num_clips: int
    chance: float
    skipped: Sequence[tuple[str, str]] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "accuracy": dict(self.accuracy),
            "unchanged": dict(self.unchanged),
            "num_clips": self.num_clips,
            "chance": self.chance,
            "skipped": [{"path": path, "error": reason} for path, reason in self.skipped],
        }

    def __rich__(self) -> ConsoleRenderable:
        table = Table(
            "frames",
            title=f"{counted(self.num_clips, 'clip')}, chance {self.chance:.1%}",
            caption=self.verdict,
            min_width=76,
        )
        table.add_column("accuracy", justify="right")
        table.add_column("answers as in order", justify="right")
        for order, accuracy in self.accuracy.items():
            table.add_row(order, f"{accuracy:.1%}", f"{self.unchanged[order]:.1%}")
        return Group(table, *skipped_lines(self.skipped)) if self.skipped else table

    @property
    def verdict(self) -> str:
        """One line: what follows."""
        changed = 1 - self.unchanged["shuffled"]
        if changed == 0:
            return "Shuffled frames change no answer: their order means nothing to this model."
        lost = self.accuracy["in order"] - self.accuracy["shuffled"]
        return f"Shuffled frames change {changed:.0%} of the answers; accuracy falls by {100 * lost:.1f} points."

    def __str__(self) -> str:
        return as_text(self, width=80)

    __repr__ = __str__


@torch.no_grad()
def temporal_probe(
    predict: Callable[[Tensor], Tensor], batches: Iterable[tuple[Tensor, Tensor]], seed: int = 0
) -> TemporalProbe:
    """Accuracy under each of `ORDERS`.

    Args:
        predict: clips `(B, 3, T, H, W)` -> scores `(B, K)`, such as a network.
        batches: clips as `predict` takes them, and their classes `(B,)`.
        seed: of the shuffles; each clip has its own.

    Raises:
        ValueError: there are no clips, or they have fewer than three frames: too few to be shuffled.
    """
    generator = torch.Generator().manual_seed(seed)
    right, same, num_clips, num_classes = dict.fromkeys(ORDERS, 0), dict.fromkeys(ORDERS, 0), 0, 0
    for clips, labels in batches:
        if clips.shape[2] < 3:
            raise Mistake(f"clips of {clips.shape[2]} frames cannot be shuffled; probe with 3 frames or more")
        answers = {}
        for name, order in ORDERS.items():
            shown = torch.stack([clip[:, order(clip.shape[1], generator)] for clip in clips])
            scores = predict(shown)
            answers[name] = scores.argmax(1)
            right[name] += int((answers[name] == labels.to(scores.device)).sum())
            same[name] += int((answers[name] == answers["in order"]).sum())
        num_clips += len(clips)
        num_classes = scores.shape[1]
    if not num_clips:
        raise Mistake("there are no clips to probe with; can any of the videos be read? vidattn check tells")
    accuracy, unchanged = ({name: count / num_clips for name, count in table.items()} for table in (right, same))
    return TemporalProbe(accuracy, unchanged, num_clips, 1 / num_classes)


def shuffled(frames: int, generator: Generator) -> Tensor:
    """A random order of 3 frames or more that is neither the true one nor its reverse."""
    while True:
        order = torch.randperm(frames, generator=generator)
        if len(order.diff().unique()) > 1 or abs(int(order[1] - order[0])) != 1:
            return order
