"""Learning-rate schedules as plain functions of the epoch: nothing to save, nothing to restore."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

from vidattn.mistakes import Mistake


class Schedule(ABC):
    """What the base learning rate is multiplied with at a moment of the training."""

    @abstractmethod
    def factor(self, epoch: float, max_epochs: float) -> float:
        """Factor at `epoch`, a float that grows with each step: 2.5 is the middle of the third epoch.

        Args:
            max_epochs: length of the training; not a whole number where `max_steps` ends it, and infinity where nothing
                says.
        """


@dataclass(frozen=True)
class Constant(Schedule):
    """The base learning rate throughout."""

    def factor(self, epoch: float, max_epochs: float) -> float:
        """Always 1."""
        return 1.0


@dataclass(frozen=True)
class WarmupCosine(Schedule):
    """A linear rise, then half a cosine down. SGDR, https://arxiv.org/abs/1608.03983, without restarts.

    >>> [round(WarmupCosine(warmup_epochs=2).factor(epoch, 10), 3) for epoch in (0, 1, 2, 6, 10)]
    [0.0, 0.5, 1.0, 0.5, 0.0]

    Args:
        warmup_epochs: length of the rise from zero.
        final_factor: what the cosine ends at.

    Raises:
        ValueError: one of them is negative.
    """

    warmup_epochs: float = 0.0
    final_factor: float = 0.0

    def __post_init__(self) -> None:
        check_not_negative(warmup_epochs=self.warmup_epochs, final_factor=self.final_factor)

    def factor(self, epoch: float, max_epochs: float) -> float:
        """Rises from 0 to 1 in `warmup_epochs`, falls to `final_factor` at `max_epochs`.

        Raises:
            ValueError: nobody knows when the training ends.
        """
        if math.isinf(max_epochs):
            raise Mistake(
                "schedule WarmupCosine falls towards the end of the training, and neither trainer.max_epochs nor "
                "trainer.max_steps says when that is; set one of them, or take the schedule Constant or Steps"
            )
        if epoch < self.warmup_epochs:
            return epoch / self.warmup_epochs
        progress = (epoch - self.warmup_epochs) / max(max_epochs - self.warmup_epochs, 1e-9)
        return self.final_factor + (1 - self.final_factor) * (1 + math.cos(math.pi * min(progress, 1.0))) / 2


@dataclass(frozen=True)
class Steps(Schedule):
    """Multiplied with `gamma` at each milestone; TimeSformer, https://arxiv.org/abs/2102.05095, appendix A.

    >>> [round(Steps().factor(epoch, 15), 3) for epoch in (0, 10.9, 11, 14)]
    [1.0, 1.0, 0.1, 0.01]

    Args:
        milestones: epochs at which the rate falls.
        gamma: the factor of each fall.
        warmup_epochs: length of a linear rise from zero; the paper has none.

    Raises:
        ValueError: `gamma` or `warmup_epochs` is negative.
    """

    milestones: tuple[float, ...] = (11, 14)
    gamma: float = 0.1
    warmup_epochs: float = 0.0

    def __post_init__(self) -> None:
        check_not_negative(gamma=self.gamma, warmup_epochs=self.warmup_epochs)

    def factor(self, epoch: float, max_epochs: float) -> float:
        """`gamma` to the number of milestones passed."""
        rise = min(epoch / self.warmup_epochs, 1.0) if self.warmup_epochs else 1.0
        return rise * self.gamma ** sum(epoch >= milestone for milestone in self.milestones)


def check_not_negative(**values: float) -> None:
    """
    Raises:
        ValueError: one is; the message names it.
    """
    for name, value in values.items():
        if not value >= 0:
            raise Mistake(f"{name}={value} must be 0 or more")
