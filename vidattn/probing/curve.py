"""What a probe reaches with few labels: accuracy against the number of labelled videos of each class."""

import random
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from vidattn.probing.protocol import Kind, evaluate
from vidattn.probing.rows import LabelledRows


class Point(NamedTuple):
    """One draw of so many videos a class.

    Args:
        per_class: videos of each class, None for all.
        draw: its number.
        videos: that were drawn in all.
        top1: share of the test videos that were answered rightly.
    """

    per_class: int | None
    draw: int
    videos: int
    top1: float


def learning_curve(
    kind: Kind,
    train: LabelledRows,
    validation: LabelledRows,
    test: LabelledRows,
    num_classes: int,
    per_class: Sequence[int | None] = (1, 2, 4, 8, None),
    draws: int = 5,
    seed: int = 0,
) -> list[Point]:
    """The test accuracy of probes that were trained on few videos, the setting of each chosen in validation.

    Args:
        kind: of probe.
        train: videos to draw from; fewer of one draw are among more.
        validation: videos that a setting is chosen on.
        test: videos that the accuracy is of.
        num_classes: K.
        per_class: numbers of videos of each class, None for all, of which there is one draw only.
        draws: of each number.
        seed: of draws and training.
    """
    points = []
    for count in per_class:
        for draw in range(1 if count is None else draws):
            places = range(len(train)) if count is None else few(train.labels.tolist(), count, seed + draw)
            found = evaluate(kind, train.take(list(places)), validation, test, num_classes, seed + draw)
            points.append(Point(count, draw, len(places), found.top1))
    return points


def few(labels: Sequence[int], per_class: int, draw: int) -> list[int]:
    """Places of so many videos of each class, all where there are fewer.

    >>> few([0, 0, 0, 1], 2, draw=0)
    [0, 2, 3]
    """
    order = list(range(len(labels)))
    random.Random(draw).shuffle(order)
    drawn: dict[int, list[int]] = defaultdict(list)
    for place in order:
        drawn[labels[place]].append(place)
    return sorted(place for places in drawn.values() for place in places[:per_class])
