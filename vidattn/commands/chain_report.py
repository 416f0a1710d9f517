"""What `vidattn chain` says: top-1 of each chain over its seeds, and by how much it differs from one of them."""

import csv
import json
import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from vidattn.commands.study_report import interval
from vidattn.comparison.paired import paired_difference
from vidattn.mistakes import Mistake
from vidattn.plots.seeds import Line, plot_seeds
from vidattn.tables import markdown, write_rows


def answers_in(folder: Path) -> list[dict[str, Any]]:
    """A row for each tested training in the folder: `chain`, `seed`, `top1`, `classes` of the test videos, and
    `right`, a 1 or 0 for each of them in the order of its number."""
    rows = []
    for path in sorted(folder.glob("*/seed_*/result.json")):
        result = json.loads(path.read_text())
        videos = path.parent / result["run"] / "videos.csv"
        if result.get("video_top1") is None or not videos.exists():
            continue
        with videos.open(encoding="utf-8", newline="") as file:
            videos_answered = list(csv.DictReader(file))
        right = "".join(str(int(row["answer"] == row["label"])) for row in videos_answered)
        classes = len({row["label"] for row in videos_answered})
        chain, seed = path.parts[-3], int(path.parts[-2].removeprefix("seed_"))
        rows.append({"chain": chain, "seed": seed, "top1": result["video_top1"], "classes": classes, "right": right})
    return rows


def summary(answers: Sequence[Mapping[str, Any]], against: str | None = None) -> list[dict[str, Any]]:
    """A row for each chain, the best last: mean top-1 over its seeds, half the 95% t interval, and the paired
    difference to the chain `against`.

    Args:
        answers: rows as `answers_in` gives them.
        against: the chain that the others are compared with, where it is among them.

    Raises:
        ValueError: the chains were tested on lists of different lengths.
    """
    chains: dict[str, list[Mapping[str, Any]]] = {}
    for answered in answers:
        chains.setdefault(answered["chain"], []).append(answered)
    rows = []
    for name, runs in chains.items():
        scores = [float(run["top1"]) for run in runs]
        row: dict[str, Any] = {
            "chain": name,
            "seeds": len(runs),
            "top1": statistics.mean(scores),
            "half_interval": interval(scores),
            "videos": len(runs[0]["right"]),
        }
        if against in chains:
            found = paired_difference(hits(runs), hits(chains[against])) if name != against else None
            row |= {"difference": "" if found is None else str(found)}
        rows.append(row)
    return sorted(rows, key=lambda row: row["top1"])


def hits(runs: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """(seeds, videos), 1 where a training of a chain was right.

    Raises:
        ValueError: the trainings were tested on lists of different lengths.
    """
    lengths = {len(run["right"]) for run in runs}
    if len(lengths) > 1:
        raise Mistake(
            f"{runs[0]['chain']} was tested on {' and '.join(map(str, sorted(lengths)))} videos; test all on one list"
        )
    return np.array([[int(one) for one in run["right"]] for run in runs])


def write_report(folder: Path, against: str | None = None) -> Path | None:
    """Write `chains.md`, `.csv` and `.png` and `answers.csv` into the folder; the path of the first, or None where
    nothing was tested yet."""
    answers = answers_in(folder)
    if not answers:
        return None
    rows = summary(answers, against)
    write_rows(answers, folder / "answers.csv")
    write_rows(rows, folder / "chains.csv")
    path = folder / "chains.md"
    path.write_text(markdown([readable(row, answers) for row in rows]) + "\n")
    chain_figure(answers).savefig(folder / "chains.png", dpi=110)
    return path


def readable(row: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """A row of the summary in words."""
    spread = "" if math.isnan(row["half_interval"]) else f" ± {row['half_interval']:.1%}"
    seeds = [float(one["top1"]) for one in answers if one["chain"] == row["chain"]]
    words = {
        "chain": f"`{row['chain']}`",
        "top-1, 95% interval": f"{row['top1']:.1%}{spread}",
        "each seed": ", ".join(f"{score:.1%}" for score in seeds),
        "test videos": str(row["videos"]),
    }
    return words | ({"difference, paired, 95%": row["difference"]} if "difference" in row else {})


def chain_figure(answers: Sequence[Mapping[str, Any]]) -> Figure:
    """Every training, with the mean of each chain and its t interval."""
    lines = {}
    for row in summary(answers):
        seeds = [float(one["top1"]) for one in answers if one["chain"] == row["chain"]]
        half = row["half_interval"]
        lines[row["chain"].replace("+", "\n+ ")] = Line(seeds, 0.0 if math.isnan(half) else half)
    title = f"{len(answers[0]['right'])} test videos"
    said = "video top-1; ring: a run; square: mean with 95% t interval"
    return plot_seeds({title: lines}, said, {title: 1 / int(answers[0]["classes"])})
