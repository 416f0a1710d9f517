"""What a study says: accuracy with intervals over seeds beside cost, as a table and a figure."""

import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from vidattn.plots.seeds import Line, plot_seeds
from vidattn.plots.short_names import short_names
from vidattn.tables import markdown, write_rows


def t_quantile(degrees: int, confidence: float = 0.95) -> float:
    """The t with `P(|T| <= t) = confidence` for Student's distribution with this many degrees of freedom.

    >>> [round(t_quantile(degrees), 3) for degrees in (1, 2, 4, 9)]
    [12.706, 4.303, 2.776, 2.262]

    By bisection of the finite sums in Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
    """
    low, high = 0.0, math.pi / 2  # of theta = atan(t / sqrt(degrees))
    for _ in range(60):
        theta = (low + high) / 2
        low, high = (theta, high) if _within(theta, degrees) < confidence else (low, theta)
    return math.tan(low) * math.sqrt(degrees)


def _within(theta: float, degrees: int) -> float:
    """`P(|T| <= sqrt(degrees) tan(theta))`."""
    odd = degrees % 2
    term, total = (math.cos(theta) if odd else 1.0), 0.0
    for k in range(2 + odd, degrees + 1, 2):
        total += term
        term *= math.cos(theta) ** 2 * (k - 1) / k
    total *= math.sin(theta)
    return 2 / math.pi * (theta + total) if odd else total


def interval(values: Sequence[float], confidence: float = 0.95) -> float:
    """Half the width of the t interval around the mean of the values; nan for a single one."""
    if len(values) < 2:
        return math.nan
    return t_quantile(len(values) - 1, confidence) * statistics.stdev(values) / math.sqrt(len(values))


def summary(results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row for each set and scheme: mean accuracy over the seeds, half its 95% interval, and cost.

    The interval is that of a new seed's training tested on these same videos; it does not hold what other videos of the
    same kind would change.

    Args:
        results: a row for each run, as `vidattn.commands.study.results` gives them.
    """
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in results:
        groups.setdefault((row["set"], row["attention"]), []).append(row)
    rows = []
    for (name, attention), runs in sorted(groups.items(), key=lambda group: list(groups).index(group[0])):
        scores = [run["video_top1"] for run in runs]
        rows.append(
            {
                "set": name,
                "attention": attention,
                "seeds": len(runs),
                "top1": statistics.mean(scores),
                "half_interval": interval(scores),
                "lowest": min(scores),
                "highest": max(scores),
                "chance": 1 / runs[0]["classes"],
                "macs": runs[0]["macs_per_clip"],
                "parameters": runs[0]["parameters"],
                "videos": runs[0]["videos_evaluated"],
            }
        )
    return sorted(rows, key=lambda row: [one["set"] for one in rows].index(row["set"]))


def write_report(results: Sequence[Mapping[str, Any]], folder: str | Path) -> Path:
    """Write `study.csv`, `.json`, `.md` and `.png` and `runs.csv` into the folder; return the path of the Markdown."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rows = summary(results)
    path = folder / "study.md"
    if not rows:
        return path
    write_rows(results, folder / "runs.csv")
    write_rows(rows, folder / "study.csv")
    write_rows([{key: None if value != value else value for key, value in row.items()} for row in rows],
               folder / "study.json")  # JSON knows no nan  # fmt: skip
    path.write_text(markdown([_readable(row, results) for row in rows]) + "\n")
    study_figure(results).savefig(folder / "study.png", dpi=110)
    return path


def study_figure(results: Sequence[Mapping[str, Any]]) -> Figure:
    """Every run, with the mean of each scheme and its interval: a panel for each set.

    Args:
        results: as for `summary`; one row at least.
    """
    rows = summary(results)
    panels: dict[str, dict[str, Line]] = {}
    chance = {}
    names = short_names(row["attention"] for row in rows)
    for row in rows:
        title = f"{row['set']}, {row['videos']} test videos"
        label = f"{names[row['attention']]}\n{row['macs'] / 1e6:.1f} MMACs"
        spread = 0.0 if math.isnan(row["half_interval"]) else row["half_interval"]
        panels.setdefault(title, {})[label] = Line(_scores(row, results), spread)
        chance[title] = row["chance"]
    most = max(row["seeds"] for row in rows)
    square = "ring: a run; square: mean with 95% t interval" if most > 1 else "one run each"
    return plot_seeds(panels, f"video top-1; {square}; 1 MAC = 2 FLOPs", chance)


def _scores(row: Mapping[str, Any], results: Sequence[Mapping[str, Any]]) -> list[float]:
    """Accuracy of each run that a row of the summary is made of."""
    key = (row["set"], row["attention"])
    return [run["video_top1"] for run in results if (run["set"], run["attention"]) == key]


def _readable(row: Mapping[str, Any], results: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    spread = "" if math.isnan(row["half_interval"]) else f" ± {row['half_interval']:.1%}"
    return {
        "set": row["set"],
        "attention": f"`{row['attention']}`",
        "top-1, 95% interval": f"{row['top1']:.1%}{spread}",
        "each seed": ", ".join(f"{score:.1%}" for score in _scores(row, results)),
        "chance": f"{row['chance']:.1%}",
        "MMACs per clip": f"{row['macs'] / 1e6:.2f}",
        "parameters": f"{row['parameters']:,}",
    }
