"""The figures of `vidattn compare`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from vidattn.plots.cost_shares import plot_cost_shares
from vidattn.plots.costs import plot_costs
from vidattn.plots.pareto import Point, plot_pareto
from vidattn.plots.short_names import short_names
from vidattn.plots.speed import plot_speed

Rows = Sequence[Mapping[str, Any]]
PARTS = {
    "patch_embedding": "patches",
    "projections": "projections",
    "attention": "scores and sums",
    "mlp": "MLP",
    "convolution": "convolution",
    "head": "head",
}
"""Parts of a count by the names that a figure has for them."""


def draw(
    rows: Rows,
    folder: Path,
    name: str,
    accuracy: Mapping[str, Mapping[str, tuple[float, float]]],
    points: Rows = (),
) -> list[Path]:
    """Write those figures that the rows are enough for; return their paths.

    Args:
        rows: as `compare` gives them, with the columns of `side_by_side` or without.
        folder: where the PNGs go.
        name: of the network, for the titles.
        accuracy: set -> scheme -> accuracy and half its interval, of schemes of the rows (see `of_schemes`).
        points: as `crossovers` gives them; marked where there are two schemes, as more would cover each other's.
    """
    names = short_names(dict.fromkeys(row["attention"] for row in rows))
    rows = [dict(row) | {"attention": names[row["attention"]]} for row in rows]
    accuracy = {title: {names[scheme]: values for scheme, values in known.items()} for title, known in accuracy.items()}
    points = [dict(point) | {end: names[point[end]] for end in ("cheaper", "dearer")} for point in points]
    frames, sizes = (list(dict.fromkeys(row[key] for row in rows)) for key in ("frames", "size"))
    figures: dict[str, Figure] = {}
    if len(frames) > 1:
        figures["frames"] = growth(
            rows, "frames", "size", "GMACs per clip of {} px", f"{name}: cost against length", points
        )
    if len(sizes) > 1 and all(isinstance(size, int) for size in sizes):  # those of squares lie on one axis
        title = f"{name}: cost against resolution"
        figures["resolution"] = growth(rows, "size", "frames", "GMACs per clip of {} frames", title, points)
    figures["parts"] = parts(rows, name)
    if accuracy:
        figures["pareto"] = pareto(rows, name, accuracy)
    if "milliseconds" in rows[0]:
        figures["speed"] = speed(rows, name)
    folder.mkdir(parents=True, exist_ok=True)
    for stem, figure in figures.items():
        figure.savefig(folder / f"{stem}.png", dpi=110)
    return [folder / f"{stem}.png" for stem in figures]


def growth(rows: Rows, along: str, panel: str, label: str, title: str, points: Rows = ()) -> Figure:
    """Cost against the column `along`, a panel for each value of the column `panel`; of two schemes, where one becomes
    the cheaper."""
    panels: dict[str, dict[str, dict[int, float]]] = {}
    for row in rows:
        panels.setdefault(label.format(row[panel]), {}).setdefault(row["attention"], {})[row[along]] = row["gmacs"]
    xlabel, unit = ("height and width, px", "px") if along == "size" else ("frames", "frames")
    schemes = [row["attention"] for row in first_clip(rows)]
    drawn = range(min(row[along] for row in rows), max(row[along] for row in rows) + 1) if points else ()
    marks = {}
    for point in points if len(schemes) == 2 else ():
        where = label.format(str(point["at"]).split()[0])
        if where in panels and point["axis"] == unit and point["beyond"] in drawn and not point["always"]:
            marks[where] = (point["beyond"], f"{point['cheaper']} costs less\nfrom {point['beyond']} {unit}")
    return plot_costs(panels, xlabel, title, schemes, marks)


def parts(rows: Rows, name: str) -> Figure:
    """What the parts of the networks cost on the first and on the last clip."""
    panels: dict[str, dict[str, dict[str, float]]] = {}
    ends = [clip(rows[0]), clip(rows[-1])]
    for row in (row for row in rows if clip(row) in ends):
        costs = {label: row[f"{part}_macs"] / 1e9 for part, label in PARTS.items()}
        panels.setdefault(clip(row), {})[row["attention"]] = costs
    title = f"{name}: where the multiply-accumulates go; behind the bars, the share of scores and sums"
    return plot_cost_shares(panels, "GMACs per clip", title, PARTS["attention"])


def pareto(rows: Rows, name: str, accuracy: Mapping[str, Mapping[str, tuple[float, float]]]) -> Figure:
    """Given accuracies against cost on the first clip."""
    costs = {row["attention"]: row["gmacs"] for row in first_clip(rows)}
    panels = {
        title: {scheme: Point(costs[scheme], *values) for scheme, values in known.items()}
        for title, known in accuracy.items()
    }
    return plot_pareto(panels, f"GMACs per clip of {clip(rows[0])}, {name}", "accuracy against cost")


def speed(rows: Rows, name: str) -> Figure:
    """Measured time against multiply-accumulates."""
    points: dict[str, list[tuple[float, float, float, float]]] = {}
    for row in rows:
        values = (row["timed_gmacs"], row["milliseconds"], row["fastest"], row["slowest"])
        points.setdefault(row["attention"], []).append(values)
    peak = max(row["peak_gmacs_per_second"] for row in rows)
    return plot_speed(points, peak, f"{name}: time against work (bars: fastest to slowest)")


def first_clip(rows: Rows) -> Rows:
    """The rows of the first length and size."""
    return [row for row in rows if clip(row) == clip(rows[0])]


def clip(row: Mapping[str, Any]) -> str:
    """Length and size, such as `8x224`."""
    return f"{row['frames']}x{row['size']}"
