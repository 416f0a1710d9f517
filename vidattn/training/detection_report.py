"""What the test of a detector has found, for the scorecard."""

from vidattn.detection.scores import DetectionScores
from vidattn.training.report import Report

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


def detection_report(scores: DetectionScores | None, logged: Report) -> Report:
    """All numbers, and the rows of the table.

    Args:
        scores: None where no frame was answered for.
        logged: what every task reports: the losses.
    """
    if scores is None:
        return logged
    numbers = scores.numbers
    rows = {name: f"{numbers[key]:.1%}" for name, key in ROWS.items()}
    answered, frames = scores.evaluated
    return Report({**logged.numbers, **numbers}, {**rows, "frames evaluated": f"{answered:,} of {frames:,}"})
