"""One answer for several views of a video: the mean of their probabilities."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor


def means(probabilities: Callable[[Tensor], Tensor], groups: Sequence[Tensor]) -> list[np.ndarray]:
    """The mean `(K,)` of each group's rows, all groups answered together.

    >>> [mean.tolist() for mean in means(lambda views: views, [torch.tensor([[0.0], [1.0]]), torch.tensor([[3.0]])])]
    [[0.5], [3.0]]

    Args:
        probabilities: views `(V, ...)` -> `(V, K)`.
        groups: the views of each video, or of each window.
    """
    if not groups:
        return []
    rows = probabilities(torch.cat(list(groups))).split([len(group) for group in groups])
    return [group.double().mean(0).numpy() for group in rows]


def means_in_batches(
    probabilities: Callable[[Tensor], Tensor], groups: Iterable[Tensor], batch_size: int
) -> Iterator[np.ndarray]:
    """The same for a stream of groups of one size, `batch_size` views at a time."""
    waiting: list[Tensor] = []
    for group in groups:
        waiting.append(group)
        if len(waiting) * len(group) >= batch_size:
            yield from means(probabilities, waiting)
            waiting = []
    yield from means(probabilities, waiting)
