"""How good answers are before and after a calibration, by numbers of clips that it was not fitted on."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from vidattn.calibration.calibration import Calibration
from vidattn.calibration.reliability import Reliability, reliability

FOLDS = 5

Answers = Callable[[Calibration], np.ndarray]
"""A calibration -> the probabilities of N videos, `(N, K)`."""


class Quality(NamedTuple):
    """Of N answers.

    Args:
        loss: cross-entropy, the mean over videos; over the classes too where they do not exclude one another.
        top1: share whose likeliest class is right; of several labels the share of right decisions at 50%.
        reliability: by how sure they were.
    """

    loss: float
    top1: float
    reliability: Reliability


def quality(probabilities: np.ndarray, targets: np.ndarray) -> Quality:
    """Of probabilities `(N, K)` for classes `(N,)`, or for 0 and 1 `(N, K)`."""
    tiny = np.finfo(np.float32).tiny
    if targets.ndim == 2:
        held = np.where(targets > 0.5, probabilities, 1 - probabilities)
        right = (probabilities >= 0.5) == (targets > 0.5)
        measured = reliability(probabilities.ravel(), targets.ravel())
    else:
        held = probabilities[np.arange(len(targets)), targets]
        right = probabilities.argmax(1) == targets
        measured = reliability(probabilities.max(1), right)
    return Quality(float(-np.log(np.maximum(held, tiny)).mean()), float(right.mean()), measured)


def held_out(
    answers: Answers, fit_without: Callable[[np.ndarray], Calibration], videos: int, seed: int = 0
) -> np.ndarray:
    """The answers `(N, K)` about each fifth of the videos by a calibration that is fitted on the other four.

    Args:
        answers: of all videos by a calibration.
        fit_without: the calibration of all videos but these, bool `(N,)`.
        videos: N.
        seed: of the draw of the fifths.
    """
    part = np.random.default_rng(seed).permutation(videos) % FOLDS
    found: np.ndarray | None = None
    for number in range(FOLDS):
        mine = part == number
        rows = answers(fit_without(mine))
        found = rows.copy() if found is None else found
        found[mine] = rows[mine]
    assert found is not None
    return found
