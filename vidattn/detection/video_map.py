"""Average precision of tubes, video by video."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from vidattn.detection.curve import Curve
from vidattn.detection.frame_map import MeanPrecision, free_choice
from vidattn.detection.tubes import Tube, tube_iou


def video_map(
    found: Sequence[Tube], truth: Sequence[Tube], num_classes: int, ious: Sequence[float] = (0.5,)
) -> list[MeanPrecision]:
    """Video-mAP of ACT and MOC (https://arxiv.org/abs/2001.04608), a result for each overlap of tubes.

    The surest tube comes first, and takes the true tube of its video and class that it overlaps most among those still
    free; the area is made of trapezoids.

    Args:
        found: tubes of all videos, as `Linking` makes them.
        truth: those of `true_tubes`.
        num_classes: C.
        ious: overlaps (`tube_iou`) from which a tube is right.
    """
    true: dict[tuple[str, int], list[Tube]] = defaultdict(list)
    for tube in truth:
        true[tube.video, tube.action].append(tube)
    rows: dict[tuple[str, int], list[Tube]] = defaultdict(list)
    for tube in found:
        rows[tube.video, tube.action].append(tube)
    scores: list[list[float]] = [[] for _ in range(num_classes)]
    hits: list[list[list[bool]]] = [[[] for _ in range(num_classes)] for _ in ious]
    for (video, action), tubes in rows.items():
        tubes = sorted(tubes, key=lambda tube: -tube.score)
        there = true.get((video, action), [])
        table = np.array([[tube_iou(tube, other) for other in there] for tube in tubes]).reshape(len(tubes), len(there))
        scores[action] += [tube.score for tube in tubes]
        for place, least in enumerate(ious):
            right = free_choice(table, least) if len(there) else np.zeros(len(tubes), bool)
            hits[place][action] += right.tolist()
    counts = np.bincount([tube.action for tube in truth], minlength=num_classes)
    results = []
    for of_class in hits:
        curves = [
            Curve.of(np.array(scores[action], np.float64), np.array(of_class[action], bool), int(counts[action]))
            for action in range(num_classes)
        ]
        results.append(MeanPrecision(np.array([curve.trapezoids() for curve in curves]), curves))
    return results
