"""How well people are found, whatever they do."""

from collections.abc import Sequence

import numpy as np

from vidattn.detection.found import FrameBoxes, FrameTruth
from vidattn.detection.frame_map import Compared, free_choice
from vidattn.detection.overlap import iou as overlaps


def box_recall(
    found: Sequence[FrameBoxes], truth: Sequence[FrameTruth], iou: float = 0.5, most: int | None = None
) -> float:
    """Share of the true boxes that a box lies on, whatever its class; each box finds one. nan where there is none.

    Args:
        found: at most one of each frame.
        truth: of all frames; those without an answer count.
        iou: overlap that is asked for.
        most: so many boxes of each frame alone, those of the highest score of any class; all by default.

    Raises:
        Mistake: a frame has two answers, or an answer and no truth.
    """
    compared = Compared.of(found, truth)
    there = sum(len(actions) for actions in compared.unanswered)
    seen = 0
    for answer, true in compared.pairs:
        there += len(true.boxes)
        if len(true.boxes) and len(answer.boxes):
            order = np.argsort(-np.asarray(answer.scores).max(1), kind="stable")[:most]
            seen += int(free_choice(overlaps(np.asarray(answer.boxes)[order], true.boxes), iou).sum())
    return seen / there if there else float("nan")


def top_box_accuracy(found: Sequence[FrameBoxes], truth: Sequence[FrameTruth], iou: float = 0.5) -> float:
    """Share of the frames with someone in them whose box of the highest score, of any class, lies on one of them.

    Args: as of `box_recall`.

    Raises:
        Mistake: a frame has two answers, or an answer and no truth.
    """
    compared = Compared.of(found, truth)
    frames = sum(len(actions) > 0 for actions in compared.unanswered)
    right = 0
    for answer, true in compared.pairs:
        if len(true.boxes):
            frames += 1
            if len(answer.boxes):
                best = int(np.asarray(answer.scores).max(1).argmax())
                right += bool(overlaps(np.asarray(answer.boxes)[[best]], true.boxes).max() >= iou)
    return right / frames if frames else float("nan")
