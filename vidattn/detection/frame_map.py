"""Average precision of boxes, frame by frame."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vidattn.detection.curve import Curve, ranking
from vidattn.detection.found import FrameBoxes, FrameTruth
from vidattn.detection.overlap import iou as overlaps
from vidattn.mistakes import Mistake

STRICTER = tuple(step / 100 for step in range(50, 100, 5))
"""The overlaps that "0.5:0.95" is the mean over."""

Right = Callable[[np.ndarray, float], np.ndarray]
"""Which of the boxes of one frame are right: from their overlaps `(n, p)` with the true ones, the surest first, and the
overlap that is asked for, bool `(n,)`."""


@dataclass(frozen=True)
class MeanPrecision:
    """Average precision of each class.

    Args:
        of_class: float `(C,)`, 0 to 1; nan where there is nothing of the class to be found.
        curves: of each class.
    """

    of_class: np.ndarray
    curves: Sequence[Curve]

    @property
    def mean(self) -> float:
        """Over the classes that there are; nan where there is none."""
        there = self.of_class[~np.isnan(self.of_class)]
        return float(there.mean()) if len(there) else float("nan")


@dataclass(frozen=True)
class Compared:
    """What was found beside what is there, frame by frame.

    Args:
        pairs: the frames that have an answer.
        unanswered: true people `(P, C)` of the frames that have none.
    """

    pairs: Sequence[tuple[FrameBoxes, FrameTruth]]
    unanswered: Sequence[np.ndarray]

    @classmethod
    def of(cls, found: Sequence[FrameBoxes], truth: Sequence[FrameTruth]) -> "Compared":
        """Put them beside each other.

        Raises:
            Mistake: a frame has two answers, or an answer and no truth.
        """
        known = {(one.video, one.frame): one for one in truth}
        answered: dict[tuple[str, int], FrameBoxes] = {}
        for one in found:
            key = (one.video, one.frame)
            if key not in known:
                raise Mistake(
                    f"frame {one.frame} of {one.video} has an answer and no truth; give the truth of all frames that "
                    "are answered for, also of those with no one, under the same names of videos"
                )
            if key in answered:
                raise Mistake(f"frame {one.frame} of {one.video} has two answers; give each frame one FrameBoxes")
            answered[key] = one
        pairs = [(answered[key], known[key]) for key in known if key in answered]
        return cls(pairs, [np.asarray(one.actions) for key, one in known.items() if key not in answered])

    @property
    def evaluated(self) -> tuple[int, int]:
        """How many frames have an answer, of how many."""
        return len(self.pairs), len(self.pairs) + len(self.unanswered)


def free_choice(overlap: np.ndarray, least: float) -> np.ndarray:
    """A box takes the true one that it overlaps most among those still free: the rule of ACT and MOC.

    >>> free_choice(np.array([[0.9, 0.6], [0.8, 0.7]]), 0.5).tolist()
    [True, True]
    """
    right = np.zeros(len(overlap), bool)
    taken: set[int] = set()
    for row in np.flatnonzero((overlap >= least).any(1)).tolist():  # few, mostly
        free = [(overlap[row, one], -one) for one in range(overlap.shape[1]) if one not in taken]
        most, one = max(free, default=(-1.0, 0))
        if most >= least:
            right[row] = True
            taken.add(-one)
    return right


def one_choice(overlap: np.ndarray, least: float) -> np.ndarray:
    """A box looks at the true one that it overlaps most alone, and is wrong where that is taken: AVA's rule.

    >>> one_choice(np.array([[0.9, 0.6], [0.8, 0.7]]), 0.5).tolist()
    [True, False]
    """
    right = np.zeros(len(overlap), bool)
    best, most = overlap.argmax(1), overlap.max(1, initial=-1)
    rows = np.flatnonzero(most >= least)
    _, first = np.unique(best[rows], return_index=True)
    right[rows[first]] = True
    return right


def frame_map(found: Sequence[FrameBoxes], truth: Sequence[FrameTruth], iou: float = 0.5) -> MeanPrecision:
    """Frame-mAP of ACT and MOC, as published for JHMDB and UCF101-24 (https://arxiv.org/abs/2001.04608).

    Each box counts for each class by its score of that; the area is made of trapezoids. (They add a pixel to the sides
    of boxes; sides are fractions here.)

    Args:
        found: at most one of each frame.
        truth: of all frames, also those with no one; a frame without an answer has none of its people found.
        iou: overlap from which a box is right.

    Raises:
        Mistake: a frame has two answers, or an answer and no truth.
    """
    (result,) = precisions(Compared.of(found, truth), [iou], free_choice, Curve.trapezoids)
    return result


def ava_map(
    found: Sequence[FrameBoxes],
    truth: Sequence[FrameTruth],
    classes: Sequence[int] | None = None,
    iou: float = 0.5,
    most: int = 10_000,
) -> MeanPrecision:
    """AVA's mAP (https://arxiv.org/abs/1705.08421): a box has one choice, and the area is made of steps.

    Args:
        found: at most one of each key frame.
        truth: of all key frames that are not excluded.
        classes: places of the classes that count, AVA's 60 of 80; all by default. The others are nan.
        iou: overlap from which a box is right.
        most: boxes of a frame that count for a class, the surest.

    Raises:
        Mistake: a frame has two answers, or an answer and no truth.
    """
    (result,) = precisions(Compared.of(found, truth), [iou], one_choice, Curve.steps, most)
    if classes is None:
        return result
    counted = np.full(len(result.of_class), np.nan)
    counted[list(classes)] = result.of_class[list(classes)]
    return MeanPrecision(counted, result.curves)


def precisions(
    compared: Compared, ious: Sequence[float], right: Right, area: Callable[[Curve], float], most: int | None = None
) -> list[MeanPrecision]:
    """A result for each overlap that is asked for.

    Args:
        right: which boxes of a frame are right.
        area: below a curve.
        most: boxes of a frame that count for a class, the surest; all by default.
    """
    num_classes = _num_classes(compared)
    scores: list[np.ndarray] = []
    hits: list[list[np.ndarray]] = [[] for _ in ious]
    truths = sum((actions.sum(0) for actions in compared.unanswered), np.zeros(num_classes))
    for answer, true in compared.pairs:
        boxes, sure, actions = np.asarray(answer.boxes), np.asarray(answer.scores), np.asarray(true.actions)
        full = (boxes[:, 2:] > boxes[:, :2]).all(-1)  # empty ones do not count
        boxes, sure = boxes[full], np.array(sure[full], np.float64)
        truths = truths + actions.sum(0)
        order = np.argsort(-sure, axis=0, kind="stable")
        if most is not None and len(sure) > most:
            np.put_along_axis(sure, order[most:], np.nan, axis=0)
        overlap = overlaps(boxes, true.boxes)
        of_frame = [np.zeros(sure.shape, bool) for _ in ious]
        for action in np.flatnonzero(actions.any(0)).tolist() if len(boxes) else ():
            rows = order[:most, action]
            table = overlap[np.ix_(rows, actions[:, action].astype(bool))]
            reached = table.max()
            for result, least in zip(of_frame, ious, strict=True):
                if reached >= least:
                    result[rows, action] = right(table, least)
        scores.append(sure)
        for all_hits, result in zip(hits, of_frame, strict=True):
            all_hits.append(result)
    found = np.concatenate(scores) if scores else np.zeros((0, num_classes))
    # Sorted once for all overlaps; those that do not count (nan) come last.
    orders = [ranking(found[:, action]) for action in range(num_classes)]
    counted = [int((~np.isnan(found[:, action])).sum()) for action in range(num_classes)]
    results = []
    for all_hits in hits:
        hit = np.concatenate(all_hits) if all_hits else np.zeros((0, num_classes), bool)
        curves = []
        for action, order in enumerate(orders):
            rows = order[: counted[action]]
            curves.append(Curve(found[rows, action], hit[rows, action], int(truths[action])))
        results.append(MeanPrecision(np.array([area(curve) for curve in curves]), curves))
    return results


def _num_classes(compared: Compared) -> int:
    counts = {np.asarray(true.actions).shape[-1] for _, true in compared.pairs}
    counts |= {np.asarray(found.scores).shape[-1] for found, _ in compared.pairs}
    counts |= {actions.shape[-1] for actions in compared.unanswered}
    if len(counts) > 1:
        raise Mistake(f"what was found and the truth count {sorted(counts)} classes; they must be the same classes")
    return counts.pop() if counts else 0
