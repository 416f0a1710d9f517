"""From which probability on an answer is given, so that clips of other classes seldom get one."""

import math

import numpy as np

from vidattn.calibration.calibration import Threshold
from vidattn.mistakes import Mistake

_MARGIN = 1e-4
"""Probabilities of the same clip differ by less from batch to batch and from machine to machine."""


def choose_threshold(others: np.ndarray, false_alarms: float) -> Threshold:
    """The least threshold that a new clip of another class reaches with a probability of at most `false_alarms`.

    A new clip is as likely to come anywhere among those that were measured (split conformal prediction,
    https://arxiv.org/abs/2107.07511, section 1): of n, `false_alarms * (n + 1) - 1` may reach it, rounded down.

    >>> choose_threshold(np.arange(19) / 20, 0.1).least
    0.8501

    Args:
        others: probability of the likeliest class of each clip of other classes, `(n,)`.
        false_alarms: the wanted share, above 0 and below 1.

    Raises:
        ValueError: the share is none, or so few clips cannot tell it.
    """
    if not 0 < false_alarms < 1:
        raise Mistake(f"false_alarms={false_alarms}: wanted a share of the clips of other classes, such as 0.05")
    count = len(others)
    may_reach = math.floor(false_alarms * (count + 1) + 1e-9) - 1
    if may_reach < 0:
        raise Mistake(
            f"{count} clips of other classes cannot tell a false-alarm rate of {false_alarms:.3g}; wanted "
            f"{math.ceil(1 / false_alarms - 1 - 1e-9)} clips or more, or a rate of {1 / (count + 1):.2g} or more"
        )
    least = float(np.sort(others)[::-1][may_reach]) + _MARGIN
    if least > 1:
        raise Mistake(
            f"more than {false_alarms:.1%} of the clips of other classes are answered with certainty, so that no "
            "threshold keeps them out; train with such clips as a class of their own"
        )
    return Threshold(least, false_alarms, count)
