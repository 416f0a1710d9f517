"""The boxes of one video, frame by frame."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vidattn.detection.overlap import iou

LINKED_FROM = 0.3  # IoU of a person's boxes in one listed frame and the next, where the list does not say who is who


@dataclass(frozen=True, eq=False)
class VideoBoxes:
    """Rows in the order of their frames; a person has at most one box in a frame.

    Args:
        frames: int64 `(n,)`: numbers within the file.
        boxes: float32 `(n, 4)`: x1, y1, x2, y2 in fractions of the picture, as listed.
        actions: bool `(n, C)`: the classes of the person in that frame.
        persons: int64 `(n,)`: who it is, from 0.
    """

    frames: np.ndarray
    boxes: np.ndarray
    actions: np.ndarray
    persons: np.ndarray

    @classmethod
    def none(cls, num_classes: int) -> "VideoBoxes":
        """Of a video in which there is no one."""
        whole = np.empty(0, np.int64)
        return cls(whole, np.empty((0, 4), np.float32), np.empty((0, num_classes), bool), whole)

    @property
    def listed_frames(self) -> list[int]:
        """The frames that have a box, ascending."""
        return np.unique(self.frames).tolist()

    def rows_of(self, frame: int) -> slice:
        """Which rows are of that frame."""
        first, last = np.searchsorted(self.frames, [frame, frame + 1])
        return slice(int(first), int(last))


def linked(frames: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Who is who, `(n,)`, where a list does not say: the box of the frame before that overlaps most.

    Where no frame has two boxes there is one person. Else each box goes on as the person of the listed frame before
    whose box it overlaps most (IoU of at least 0.3), largest overlaps first, and is someone new where there is none.

    Args:
        frames: `(n,)`, ascending.
        boxes: `(n, 4)`.
    """
    listed, first = np.unique(frames, return_index=True)
    if len(listed) == len(frames):
        return np.zeros(len(frames), np.int64)
    persons = np.full(len(frames), -1, np.int64)
    known, before = 0, slice(0, 0)
    for start, stop in zip(first, [*first[1:], len(frames)], strict=True):
        here = slice(int(start), int(stop))
        overlap = iou(boxes[here], boxes[before])
        while overlap.size and overlap.max() >= LINKED_FROM:
            row, column = divmod(int(overlap.argmax()), overlap.shape[1])
            persons[here.start + row] = persons[before.start + column]
            overlap[row], overlap[:, column] = -1, -1
        for row in range(here.start, here.stop):
            if persons[row] < 0:
                persons[row], known = known, known + 1
        before = here
    return persons


def merged(
    frames: Sequence[int], boxes: np.ndarray, labels: Sequence[int], persons: Sequence[str], num_classes: int
) -> VideoBoxes:
    """Rows of one label each to boxes with all their labels.

    The same person in the same frame is one box (the first of them); where no person is named, the same four numbers
    in the same frame are.
    """
    by_box: dict[tuple[object, ...], int] = {}
    of_box: list[int] = []  # the row that a box comes from
    actions: list[set[int]] = []
    for row, (frame, label, person) in enumerate(zip(frames, labels, persons, strict=True)):
        key = (frame, person) if person else (frame, *boxes[row].tolist())
        place = by_box.setdefault(key, len(of_box))
        if place == len(of_box):
            of_box.append(row)
            actions.append(set())
        actions[place].add(label)
    order = sorted(range(len(of_box)), key=lambda place: frames[of_box[place]])
    chosen = [of_box[place] for place in order]
    hot = np.zeros((len(order), num_classes), bool)
    for row, place in enumerate(order):
        hot[row, list(actions[place])] = True
    frame_numbers = np.array([frames[row] for row in chosen], np.int64)
    boxes = boxes[chosen].astype(np.float32).reshape(-1, 4)
    named = [persons[row] for row in chosen]
    if all(named):
        places = {name: place for place, name in enumerate(dict.fromkeys(named))}
        who = np.array([places[name] for name in named], np.int64)
    else:
        who = linked(frame_numbers, boxes)
    return VideoBoxes(frame_numbers, boxes, hot, who)
