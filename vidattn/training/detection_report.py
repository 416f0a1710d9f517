"""What the test of a detector has found, for the scorecard."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vidattn.detection.scores import DetectionScores
from vidattn.training.report import Report

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROWS = {
    "frame-mAP@0.5": "frame_map_50",
    "frame-mAP@0.5:0.95": "frame_map_50_95",
    "video-mAP@0.2": "video_map_20",
    "video-mAP@0.5": "video_map_50",
    "video-mAP@0.75": "video_map_75",
    "video-mAP@0.5:0.95": "video_map_50_95",
    "boxes found, whatever their class": "box_recall_50",
    "frames whose surest box is right": "top_box_50",
}
"""Of the table on the terminal, all in percent."""


def detection_report(scores: DetectionScores | None, logged: Report, class_names: Sequence[str]) -> Report:
    """All numbers, the rows of the table, and the classes' precision against their recall as a picture.

    Args:
        scores: None where no frame was answered for.
        logged: what every task reports: the losses.
        class_names: in the order of their numbers.
    """
    if scores is None:
        return logged
    numbers = scores.numbers
    rows = {name: f"{numbers[key]:.1%}" for name, key in ROWS.items()}
    answered, frames = scores.evaluated
    rows["frames evaluated"] = f"{answered:,} of {frames:,}"
    figures = {"precision_recall.png": lambda: _curves(scores, class_names)}
    return Report({**logged.numbers, **numbers}, rows, figures=figures)


def _curves(scores: DetectionScores, class_names: Sequence[str]) -> "Figure":
    from vidattn.plots.precision_recall import plot_precision_recall  # matplotlib takes a while to start

    boxes = scores.frames[0]
    curves = {name: (one.recall, one.precision) for name, one in zip(class_names, boxes.curves, strict=True)}
    areas = dict(zip(class_names, boxes.of_class.tolist(), strict=True))
    return plot_precision_recall(curves, areas, f"boxes at 0.5: frame-mAP {boxes.mean:.1%}")
