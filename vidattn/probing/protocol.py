"""How a probe is judged: settings are chosen on validation videos, and the test is read once."""

import random
from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from vidattn.mistakes import Mistake
from vidattn.probing.rows import LabelledRows


class Fitted(Protocol):
    """Probes that were trained, one for each setting."""

    def probabilities(self, rows: LabelledRows) -> Tensor:
        """`(P, N, K)`, of each setting and video."""


class Kind(Protocol):
    """A kind of probe with a grid of settings."""

    @property
    def settings(self) -> Sequence[Any]:
        """P of them; their `str` says what each is."""

    def fit(self, rows: LabelledRows, num_classes: int, seed: int = 0) -> Fitted:
        """Train them on these videos."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of a kind of probe.

    Args:
        fitted: trained on all training videos.
        chosen: number of the setting that was best in validation; of equals the first.
        validation: accuracy of each setting on the videos that the choice was made on, `(P,)`.
        test: probabilities of the chosen one, `(N, K)`.
        labels: of the test videos, `(N,)`.
    """

    fitted: Any
    chosen: int
    validation: Tensor
    test: Tensor
    labels: Tensor

    @property
    def right(self) -> Tensor:
        """`(N,)`, whether the answer about each test video is."""
        return self.test.argmax(-1) == self.labels

    @property
    def top1(self) -> float:
        """Share of the test videos that are answered rightly."""
        return self.right.float().mean().item()


def evaluate(
    kind: Kind,
    train: LabelledRows,
    validation: LabelledRows | Sequence[Hashable],
    test: LabelledRows,
    num_classes: int,
    seed: int = 0,
    folds: int = 5,
) -> Outcome:
    """Train a grid, choose a setting without the test videos, and answer about those with that one alone.

    Args:
        kind: of probe.
        train: training videos.
        validation: videos to choose on; or, where there are too few for that, the source of each training video: the
            choice is then made by cross-validation over `folds` parts of the training videos, in which videos of one
            source are never on both sides.
        test: videos that the accuracy is of.
        num_classes: K.
        seed: of training and folds.
        folds: of the cross-validation.

    Raises:
        ValueError: there are fewer sources than two.
    """
    fitted = kind.fit(train, num_classes, seed)
    if isinstance(validation, LabelledRows):
        accuracy = accuracies(fitted, validation)
    else:
        accuracy = cross_validated(kind, train, validation, num_classes, seed, folds)
    chosen = int(accuracy.argmax())
    return Outcome(fitted, chosen, accuracy, fitted.probabilities(test)[chosen], test.labels)


def accuracies(fitted: Fitted, rows: LabelledRows) -> Tensor:
    """Top-1 of each setting, `(P,)`."""
    return (fitted.probabilities(rows).argmax(-1) == rows.labels).float().mean(-1)


def cross_validated(
    kind: Kind, rows: LabelledRows, sources: Sequence[Hashable], num_classes: int, seed: int = 0, folds: int = 5
) -> Tensor:
    """Top-1 of each setting over all videos, each answered by probes that saw no video of its source; `(P,)`.

    Raises:
        ValueError: there are fewer sources than two.
    """
    right = torch.zeros(len(kind.settings))
    for held_out in parts_by_source(sources, folds, seed):
        seen = [place for place in range(len(rows)) if place not in set(held_out)]
        others = rows.take(held_out)
        right += accuracies(kind.fit(rows.take(seen), num_classes, seed), others) * len(others)
    return right / len(rows)


def parts_by_source(sources: Sequence[Hashable], folds: int, seed: int = 0) -> list[list[int]]:
    """The places of the videos in up to `folds` parts of like size, all of one source in one part.

    >>> parts_by_source(["a", "a", "b", "c"], folds=2)
    [[0, 1], [2, 3]]

    Raises:
        ValueError: there are fewer sources than two.
    """
    places: dict[Hashable, list[int]] = defaultdict(list)
    for place, source in enumerate(sources):
        places[source].append(place)
    if len(places) < 2:
        raise Mistake(f"{len(places)} source of videos; cross-validation needs two at least, so give validation videos")
    drawn = list(places.values())
    random.Random(seed).shuffle(drawn)
    parts: list[list[int]] = [[] for _ in range(min(folds, len(places)))]
    for group in sorted(drawn, key=len, reverse=True):  # the largest first: the parts become alike in size
        min(parts, key=len).extend(group)
    return [sorted(part) for part in parts]
