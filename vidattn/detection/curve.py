"""Precision against recall, and the two areas that the literature takes of it."""

from typing import NamedTuple

import numpy as np


def ranking(scores: np.ndarray) -> np.ndarray:
    """Places `(n,)` of the scores, the surest first.

    Equal ones come in an order that is drawn, always the same: lists of videos are often sorted by class, and which
    stands first must not tell. nan comes last.
    """
    drawn = np.random.default_rng(0).permutation(len(scores))
    return drawn[np.argsort(-scores[drawn], kind="stable")]


class Curve(NamedTuple):
    """What was found of one class, the surest first.

    Args:
        scores: float `(n,)`, descending.
        hits: bool `(n,)`: whether it is right.
        truths: how many there are to be found.
    """

    scores: np.ndarray
    hits: np.ndarray
    truths: int

    @classmethod
    def of(cls, scores: np.ndarray, hits: np.ndarray, truths: int) -> "Curve":
        """In the order of `ranking`."""
        order = ranking(scores)
        return cls(scores[order], hits[order], truths)

    @property
    def precision(self) -> np.ndarray:
        """`(n,)`: share of what was found so far that is right."""
        return np.cumsum(self.hits) / np.arange(1, len(self.hits) + 1)

    @property
    def recall(self) -> np.ndarray:
        """`(n,)`: share of the truths that was found so far."""
        return np.cumsum(self.hits) / max(self.truths, 1)

    def trapezoids(self) -> float:
        """The area below the straight lines between the points, from (0, 1) on: that of ACT and MOC, for JHMDB and
        UCF101-24 (https://arxiv.org/abs/2001.04608). nan where there is nothing to be found.

        >>> round(Curve(np.array([0.9, 0.8, 0.7]), np.array([True, False, True]), 2).trapezoids(), 4)
        0.7917
        """
        if not self.truths:
            return float("nan")
        recall, precision = np.append(0, self.recall), np.append(1, self.precision)
        return float((np.diff(recall) * (precision[1:] + precision[:-1]) / 2).sum())

    def steps(self) -> float:
        """The area below the steps of the highest precision that a recall, or a higher one, is reached with: that of
        Pascal VOC since 2010, and AVA's. nan where there is nothing to be found.

        >>> round(Curve(np.array([0.9, 0.8, 0.7]), np.array([True, False, True]), 2).steps(), 4)
        0.8333
        """
        if not self.truths:
            return float("nan")
        best = np.maximum.accumulate(self.precision[::-1])[::-1]
        return float((np.diff(np.append(0, self.recall)) * best).sum())
