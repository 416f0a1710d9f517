"""Tubes: boxes of one person that follow one another from frame to frame."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from vidattn.detection.found import FrameBoxes, FrameTruth
from vidattn.detection.overlap import iou as overlaps, pairs
from vidattn.mistakes import Mistake


class Tube(NamedTuple):
    """One action of one person.

    Args:
        video: the file's path, as in `FrameBoxes`.
        action: number of the class.
        score: how sure; 1 of a true tube.
        frames: int `(n,)`, ascending numbers within the file.
        boxes: float `(n, 4)`: x1, y1, x2, y2 in fractions of the picture.
    """

    video: str
    action: int
    score: float
    frames: np.ndarray
    boxes: np.ndarray


def tube_iou(one: Tube, other: Tube) -> float:
    """Mean overlap of the boxes in the frames that both have, times the share of these among all frames of either.

    >>> box = np.tile([0.0, 0.0, 1.0, 1.0], (4, 1))
    >>> tube_iou(Tube("a", 0, 1, np.arange(4), box), Tube("a", 0, 1, np.arange(2, 6), box))
    0.3333333333333333
    """
    place = np.searchsorted(other.frames, one.frames).clip(max=len(other.frames) - 1)
    both = other.frames[place] == one.frames
    shared = int(both.sum())
    if not shared:
        return 0.0
    spatial = pairs(one.boxes[both], other.boxes[place[both]]).sum() / shared
    return float(spatial * shared / (len(one.frames) + len(other.frames) - shared))


def true_tubes(truth: Sequence[FrameTruth]) -> list[Tube]:
    """A tube for each action of each person of each video.

    Raises:
        Mistake: the truth does not say who is who.
    """
    rows: dict[tuple[str, int, int], list[tuple[int, np.ndarray]]] = defaultdict(list)
    for one in truth:
        if one.persons is None and len(one.boxes):
            raise Mistake(f"frame {one.frame} of {one.video} does not say who is who (persons); tubes need it")
        for person, box, actions in zip(
            () if one.persons is None else one.persons, one.boxes, one.actions, strict=True
        ):
            for action in np.flatnonzero(actions).tolist():
                rows[one.video, int(person), action].append((one.frame, box))
    tubes = []
    for (video, _, label), boxes in rows.items():
        boxes.sort(key=lambda row: row[0])
        frames = np.array([frame for frame, _ in boxes])
        tubes.append(Tube(video, label, 1.0, frames, np.array([box for _, box in boxes], np.float64)))
    return tubes


@dataclass(frozen=True)
class Linking:
    """Joins the boxes of frames to tubes, class by class, greedily; after ACT (https://arxiv.org/abs/1705.01861).

    In each frame the tubes, the surest first, each take the surest of the free boxes that overlap their last one; what
    is left begins new tubes. A tube that finds no box ends. Its score is the mean of its boxes'. Tubes that are short
    or unsure are dropped, and of two that overlap much the less sure one.

    Args:
        overlap: of a box with the tube's last one, from which it may follow.
        most: boxes of a frame for each class, the surest.
        nms: a box that overlaps a surer one of its frame and class by more is passed over.
        gap: answers in a row that may lack a tube's box; it is filled in between.
        least_frames: tubes of fewer answers are dropped, unless their video has no more.
        least_score: likewise.
        tube_nms: a tube that overlaps a surer one of its class by more is dropped.

    Raises:
        ValueError: a number is too small.
    """

    overlap: float = 0.5
    most: int = 10
    nms: float = 0.6
    gap: int = 5
    least_frames: int = 15
    least_score: float = 0.005
    tube_nms: float = 0.3

    def __post_init__(self) -> None:
        if self.most < 1 or self.least_frames < 1:
            raise Mistake(f"Linking(most={self.most}, least_frames={self.least_frames}): expected at least 1 of each")

    def tubes(self, found: Sequence[FrameBoxes]) -> list[Tube]:
        """The tubes of all videos and classes."""
        by_video: dict[str, list[FrameBoxes]] = defaultdict(list)
        for one in found:
            by_video[one.video].append(one)
        tubes = []
        for video, answers in by_video.items():
            there = _Answers.of(answers)
            for action in range(np.asarray(answers[0].scores).shape[-1]):
                tubes += self._of_class(video, action, there)
        return tubes

    def _of_class(self, video: str, action: int, answers: "_Answers") -> list[Tube]:
        open_tubes: list[_Growing] = []
        done: list[_Growing] = []
        if max((sure[:, action].max(initial=0) for sure in answers.scores), default=0) < self.least_score:
            return []
        for place, sure in enumerate(answers.scores):
            scores = sure[:, action].tolist()
            free = self._kept(scores, answers.overlap(place, place))  # the surest first
            still = []
            for tube in sorted(open_tubes, key=lambda tube: -tube.score):
                before, row = tube.places[-1], tube.rows[-1]
                overlap = answers.overlap(before, place)[row]
                best = next((other for other in free if overlap[other] >= self.overlap), None)
                if best is not None:
                    free.remove(best)
                    tube.add(place, best, scores[best])
                    still.append(tube)
                elif place - before <= self.gap:
                    still.append(tube)
                else:
                    done.append(tube)
            open_tubes = still + [_Growing([place], [row], scores[row]) for row in free]
        least = min(self.least_frames, len(answers.scores))
        grown = [tube for tube in done + open_tubes if tube.length >= least and tube.score >= self.least_score]
        return self._distinct([tube.filled(video, action, answers) for tube in grown])

    def _kept(self, scores: list[float], overlap: list[list[float]]) -> list[int]:
        """The surest boxes, without those that lie on a surer one; the surest first."""
        chosen: list[int] = []
        for row in sorted(range(len(scores)), key=lambda row: -scores[row]):
            if len(chosen) == self.most:
                break
            if all(overlap[row][other] <= self.nms for other in chosen):
                chosen.append(row)
        return chosen

    def _distinct(self, tubes: list[Tube]) -> list[Tube]:
        chosen: list[Tube] = []
        for tube in sorted(tubes, key=lambda tube: -tube.score):
            if all(tube_iou(tube, other) <= self.tube_nms for other in chosen):
                chosen.append(tube)
        return chosen


@dataclass
class _Answers:
    """Those of a video in their order, with the overlaps of their boxes: the same for all classes."""

    frames: np.ndarray
    boxes: list[np.ndarray]
    scores: list[np.ndarray]
    known: dict[tuple[int, int], list[list[float]]] = field(default_factory=dict)

    @classmethod
    def of(cls, answers: Sequence[FrameBoxes]) -> "_Answers":
        ordered = sorted(answers, key=lambda one: one.frame)
        boxes = [np.asarray(one.boxes, np.float64) for one in ordered]
        return cls(np.array([one.frame for one in ordered]), boxes, [np.asarray(one.scores) for one in ordered])

    def overlap(self, place: int, other: int) -> list[list[float]]:
        """Of each box of one answer with each of another."""
        if (place, other) not in self.known:
            self.known[place, other] = overlaps(self.boxes[place], self.boxes[other]).tolist()
        return self.known[place, other]


@dataclass
class _Growing:
    """A tube whose boxes are rows of answers."""

    places: list[int]
    rows: list[int]
    total: float

    @property
    def score(self) -> float:
        return self.total / len(self.rows)

    @property
    def length(self) -> int:
        """In answers, those in between that lack a box included."""
        return self.places[-1] - self.places[0] + 1

    def add(self, place: int, row: int, score: float) -> None:
        self.places.append(place)
        self.rows.append(row)
        self.total += score

    def filled(self, video: str, action: int, answers: _Answers) -> Tube:
        """With a box in every frame that was answered for: between two that were found they move in straight lines."""
        frames = answers.frames[self.places[0] : self.places[-1] + 1]
        own = np.stack([answers.boxes[place][row] for place, row in zip(self.places, self.rows, strict=True)])
        boxes = np.stack([np.interp(frames, answers.frames[self.places], side) for side in own.T], -1)
        return Tube(video, action, self.score, frames, boxes)
