"""What `vidattn calibrate` leaves behind: a table, `calibration.json` and `reliability.png`."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torchmetrics.functional.classification import binary_auroc

from vidattn.calibration.calibration import Calibration, Threshold
from vidattn.calibration.measuring import Quality
from vidattn.console import plain_console
from vidattn.plots.reliability import plot_reliability
from vidattn.tables import rich_table
from vidattn.wording import counted, in_words
from vidattn.writable import make_folder, writing


class Rejected(NamedTuple):
    """What a threshold does.

    Args:
        own: certainty of the answers about videos of the network's classes, `(n,)`.
        other: likewise about videos of other classes, `(m,)`.
        threshold: chosen on the latter.
    """

    own: np.ndarray
    other: np.ndarray
    threshold: Threshold

    def to_dict(self) -> dict[str, Any]:
        """Its numbers: the threshold, the share of each kind that reaches it, and how well certainty tells them
        apart (the area under the curve)."""
        sure = torch.from_numpy(np.concatenate([self.own, self.other]))
        kind = torch.arange(len(sure)) < len(self.own)
        least = self.threshold.least
        return {
            "least": least,
            "false_alarms_wanted": self.threshold.false_alarms,
            "false_alarms": float((self.other >= least).mean()),
            "videos_of_other_classes": len(self.other),
            "answered": float((self.own >= least).mean()),
            "auroc": float(binary_auroc(sure, kind.long())),
        }


@dataclass(frozen=True)
class Outcome:
    """What was measured.

    Args:
        calibration: that is kept.
        error: standard error of its temperature.
        videos: it was fitted on.
        before: of the answers without it.
        after: with it, about videos that it was not fitted on where there are enough.
        rejected: where there are videos of other classes.
        notes: what has to be known of it.
    """

    calibration: Calibration
    error: float
    videos: int
    before: Quality
    after: Quality
    rejected: Rejected | None
    notes: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        both = {
            when: {"loss": one.loss, "right": one.top1, "calibration_error": one.reliability.error}
            for when, one in (("before", self.before), ("after", self.after))
        }
        return {
            "temperature": self.calibration.temperature,
            "temperature_error": self.error,
            "bias": self.calibration.bias,
            "videos": self.videos,
            **both,
            **({} if self.rejected is None else {"none_of_these": self.rejected.to_dict()}),
            "notes": self.notes,
        }


def write_report(folder: Path, outcome: Outcome, skipped: Sequence[tuple[str, str]], written: Sequence[str]) -> None:
    """Print the table, write the files.

    Args:
        folder: where to.
        outcome: what was measured.
        skipped: file and reason of each video that could not be read.
        written: where the calibration is kept.
    """
    console = plain_console()
    rows = [
        {
            "": when,
            "calibration error": f"{one.reliability.error:.1%}",
            "sure": f"{_mean(one.reliability.counts, one.reliability.certainty):.1%}",
            "right": f"{_mean(one.reliability.counts, one.reliability.right):.1%}",
            "cross-entropy": f"{one.loss:.4f}",
        }
        for when, one in (("before", outcome.before), ("after", outcome.after))
    ]
    console.print(rich_table(rows, f"Calibration on {counted(outcome.videos, 'video')}"))
    bias = f", bias {outcome.calibration.bias:.3f}" if outcome.calibration.bias else ""
    console.print(f"temperature {outcome.calibration.temperature:.3f} ± {outcome.error:.3f}{bias}")
    if outcome.rejected is not None:
        said = outcome.rejected.to_dict()
        console.print(
            f"none of these: where no class reaches {said['least']:.1%}; {said['false_alarms']:.1%} of "
            f"{counted(said['videos_of_other_classes'], 'video')} of other classes do (wanted "
            f"{said['false_alarms_wanted']:.1%}), and {said['answered']:.1%} of the validation videos (AUROC "
            f"{said['auroc']:.3f})"
        )
        if said["auroc"] < 0.6:
            console.print("note: certainty hardly tells videos of other classes from the network's own (0.5 is chance)")
    for note in outcome.notes:
        console.print(f"note: {note}")
    for path, reason in skipped:
        console.print(f"skipped {path}: {reason}")
    make_folder(folder)
    panels = {
        f"{when}: off by {one.reliability.error:.1%}": one.reliability.bars
        for when, one in (("before", outcome.before), ("after", outcome.after))
    }
    with writing(folder):
        plot_reliability(panels).savefig(folder / "reliability.png", dpi=100)
        (folder / "calibration.json").write_text(
            json.dumps({**outcome.to_dict(), "skipped": [list(one) for one in skipped]}, indent=2) + "\n"
        )
    console.print(f"kept in {in_words(list(written))}; calibration.json and reliability.png are in {folder}")


def _mean(counts: np.ndarray, values: np.ndarray) -> float:
    return float(np.nansum(counts * values) / counts.sum())
