"""What `vidattn probe` says: a table, a scorecard, pictures, and the answer about each test video."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from vidattn.console import plain_console
from vidattn.data.videos.manifest import Video
from vidattn.plots.confusion import plot_confusion
from vidattn.plots.learning_curve import plot_learning_curve
from vidattn.probing.curve import Point
from vidattn.probing.protocol import Kind, Outcome
from vidattn.tables import rich_table, write_rows
from vidattn.wording import counted
from vidattn.writable import make_folder


class Probed(NamedTuple):
    """A kind of probe and what came of it."""

    name: str
    kind: Kind
    outcome: Outcome
    curve: Sequence[Point]
    seconds: float


def write_report(
    folder: Path,
    probed: Sequence[Probed],
    class_names: Sequence[str],
    videos: Sequence[Video],
    validated: bool,
    skipped: Sequence[tuple[str, str]],
) -> None:
    """Print the table; write `probe.json`, `videos.csv`, `confusion_<kind>.png`, and `curve.csv` and `curve.png` where
    there are curves.

    Args:
        folder: where to.
        probed: the kinds.
        class_names: K names.
        videos: of the test.
        validated: whether settings were chosen on validation videos, and not by cross-validation.
        skipped: file and reason of what could not be read.
    """
    make_folder(folder)
    rows = [summary(one) for one in probed]
    where = "validation videos" if validated else "training videos, by cross-validation over sources"
    console = plain_console()
    table = [
        {
            "probe": row["probe"],
            "test top-1": f"{row['top1']:.1%} ± {row['standard_error']:.1%}",
            "top-5": f"{row['top5']:.1%}",
            "setting": row["setting"],
            "in the choice": f"{row['choice_top1']:.1%}",
            "time": f"{row['seconds']:.1f} s",
        }
        for row in rows
    ]
    console.print(rich_table(table, f"Frozen features, {counted(len(videos), 'test video')}"))
    console.print(
        f"Settings were chosen on {where}; the test was read once for each kind (± is its standard error over videos)."
    )
    for path, reason in skipped:
        console.print(f"skipped {path}: {reason}")
    (folder / "probe.json").write_text(
        json.dumps({"chosen_on": where, "probes": rows, "skipped": skipped}, indent=2) + "\n"
    )
    write_rows(answers(probed, class_names, videos), folder / "videos.csv")
    for one in probed:
        counts = confusion(one.outcome, len(class_names))
        title = f"{one.name}: {one.outcome.top1:.1%} of {len(videos)} test videos"
        plot_confusion(counts, class_names, title).savefig(folder / f"confusion_{one.name}.png", dpi=100)
    files = ["probe.json", "videos.csv", *(f"confusion_{one.name}.png" for one in probed)]
    if curves := {one.name: one.curve for one in probed if one.curve}:
        write_rows(
            [{"probe": name} | point._asdict() for name, curve in curves.items() for point in curve],
            folder / "curve.csv",
        )
        lines = {name: by_number(curve) for name, curve in curves.items()}
        title = f"frozen features, {counted(len(videos), 'test video')}; rings: draws, shaded: their deviation"
        plot_learning_curve(lines, title, 1 / len(class_names)).savefig(folder / "curve.png", dpi=110)
        files += ["curve.csv", "curve.png"]
    console.print(f"wrote {', '.join(files)} into {folder}")


def summary(one: Probed) -> dict[str, Any]:
    """The numbers of a kind of probe."""
    outcome = one.outcome
    top5 = outcome.test.topk(min(5, outcome.test.shape[1]), dim=1).indices
    share = outcome.top1
    return {
        "probe": one.name,
        "top1": share,
        "standard_error": (share * (1 - share) / len(outcome.labels)) ** 0.5,
        "top5": (top5 == outcome.labels[:, None]).any(1).float().mean().item(),
        "setting": words_of(one.kind.settings[outcome.chosen]),
        "choice_top1": outcome.validation[outcome.chosen].item(),
        "settings": {
            words_of(setting): value
            for setting, value in zip(one.kind.settings, outcome.validation.tolist(), strict=True)
        },
        "test_videos": len(outcome.labels),
        "seconds": one.seconds,
    }


def words_of(setting: Any) -> str:
    """A setting as the table says it: the number of neighbours is a bare number."""
    return f"k {setting}" if isinstance(setting, int) else str(setting)


def answers(probed: Sequence[Probed], class_names: Sequence[str], videos: Sequence[Video]) -> list[dict[str, Any]]:
    """A row for each test video: path, label, and the answer of each kind."""
    rows = []
    for place, video in enumerate(videos):
        label = int(probed[0].outcome.labels[place])
        row: dict[str, Any] = {"path": video.path, "label": class_names[label]}
        for one in probed:
            row[one.name] = class_names[int(one.outcome.test[place].argmax())]
        rows.append(row)
    return rows


def confusion(outcome: Outcome, classes: int) -> np.ndarray:
    """`(K, K)` numbers of videos, rows true classes, columns answers."""
    pairs: Tensor = outcome.labels * classes + outcome.test.argmax(-1)
    return torch.bincount(pairs, minlength=classes**2).view(classes, classes).numpy()


def by_number(curve: Sequence[Point]) -> dict[str, list[float]]:
    """Accuracies by the number of labelled videos, as the picture wants them."""
    found: dict[str, list[float]] = {}
    for point in curve:
        found.setdefault("all" if point.per_class is None else str(point.per_class), []).append(point.top1)
    return found
