"""Loaders that may be only so many batches ahead, and one training that takes from all of them at once."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vidattn.checks import check_positive

Times = NDArray[np.float64]


class Ran(NamedTuple):
    """When things were over, in seconds.

    Attributes:
        ends: of each step, `(steps,)`.
        waited: by the training, for loaders, in all.
    """

    ends: Times
    waited: float


class LoaderQueues:
    """A queue for each machine. A batch is begun when the one before it is made and fewer than `depth` batches are made
    or in the making that were not taken; a step begins when each queue has its batch and the step before it is over.

    That is PyTorch's DataLoader, whose `prefetch_factor * num_workers` batches are asked for ahead, with its workers
    seen as one maker that is as fast as all of them.

    Args:
        depth: batches ahead, at least 1.

    Raises:
        ValueError: `depth` is less.
    """

    def __init__(self, queues: int, depth: int) -> None:
        check_positive(queues=queues, depth=depth)
        self.depth = depth
        self.ready = np.zeros((queues, 1))  # when the last batch of each queue was made
        self.starts = np.full(depth, -np.inf)  # of the last steps
        self.end = 0.0

    def run(self, making: Times, training: Times) -> Ran:
        """Go on by some steps.

        Within `depth` steps it is known when each batch may be begun, so that both recursions are running maxima.

        Args:
            making: seconds of each batch, `(queues, steps)`.
            training: seconds of each step, `(steps,)`.
        """
        ends = np.empty_like(training)
        waited = 0.0
        for first in range(0, len(training), self.depth):
            make, train = making[:, first : first + self.depth], training[first : first + self.depth]
            steps = len(train)
            made = np.cumsum(make, 1)
            begun = np.maximum(self.starts[:steps] - (made - make), self.ready)
            ready = np.maximum.accumulate(begun, 1) + made
            trained = np.cumsum(train)
            before = trained - train
            slowest = ready.max(0) - before
            slowest[0] = max(slowest[0], self.end)
            starts = np.maximum.accumulate(slowest) + before
            ends[first : first + steps] = starts + train
            waited += float(starts[-1] + train[-1] - self.end - trained[-1])
            self.end = float(ends[first + steps - 1])
            self.ready = ready[:, -1:]
            self.starts = np.concatenate([self.starts[steps:], starts])
        return Ran(ends, waited)
