"""What a probe reaches with few labels: accuracy against the number of labelled videos of each class."""

from collections.abc import Sequence
from typing import NamedTuple

from vidattn.data.videos.few_labels import few
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
    per_class: Sequence[int] = (1, 2, 4, 8),
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
        per_class: numbers of videos of each class; all of them are `evaluate`'s own matter.
        draws: of each number.
        seed: of draws and training.
    """
    labels, points = train.labels.tolist(), []
    for count in per_class:
        for draw in range(draws):
            places = few(labels, count, seed + draw)
            found = evaluate(kind, train.take(places), validation, test, num_classes, seed + draw)
            points.append(Point(count, draw, len(places), found.top1))
    return points
