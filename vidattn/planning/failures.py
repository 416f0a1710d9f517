"""A machine fails, all stop, and the work since the last checkpoint is done again."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


class Survived(NamedTuple):
    """How a training went.

    Attributes:
        seconds: that it took.
        failures: that it met.
    """

    seconds: float
    failures: int


@dataclass(frozen=True)
class Failures:
    """Failures that come whenever they come (exponential times between them), during restarts, too.

    Args:
        mean_seconds: between failures of the whole cluster; infinite for none.
        restart_seconds: from a failure to the first step.
        checkpoint_seconds: of work between checkpoints, which take no time themselves.
    """

    mean_seconds: float
    restart_seconds: float
    checkpoint_seconds: float

    def expected(self, work_seconds: float) -> float:
        """Seconds that so much work takes on average.

        Daly, "A higher order estimate of the optimum checkpoint interval for restart dumps", Future Generation
        Computer Systems 22 (2006), equation 13: `M e^(R/M) (e^(t/M) - 1)` for each stretch of work t.
        """
        if math.isinf(self.mean_seconds):
            return work_seconds
        pieces = max(1, round(work_seconds / self.checkpoint_seconds))
        try:
            stretch = math.expm1(work_seconds / pieces / self.mean_seconds)
            return pieces * self.mean_seconds * math.exp(self.restart_seconds / self.mean_seconds) * stretch
        except OverflowError:
            return math.inf

    def simulate(self, work_seconds: float, rng: np.random.Generator, most: int = 10_000_000) -> Survived:
        """One run through failures that are drawn, piece by piece of work; infinite beyond `most` failures."""
        if math.isinf(self.mean_seconds):
            return Survived(work_seconds, 0)
        left = max(1, round(work_seconds / self.checkpoint_seconds))
        stretch = work_seconds / left
        seconds, failures, restart = 0.0, 0, 0.0
        while failures < most:
            size = 1000 if failures else 16
            lives = rng.exponential(self.mean_seconds, size)
            restarts = np.full(size, self.restart_seconds)
            restarts[0] = restart
            kept = np.floor(np.maximum(lives - restarts, 0) / stretch)  # pieces done before each failure
            ends = np.flatnonzero(np.cumsum(kept) >= left)
            if len(ends):
                last = int(ends[0])
                done_before = float(kept[:last].sum())
                seconds += float(lives[:last].sum() + restarts[last]) + (left - done_before) * stretch
                return Survived(seconds, failures + last)
            seconds += float(lives.sum())
            failures += size
            left -= int(kept.sum())
            restart = self.restart_seconds
        return Survived(math.inf, failures)
