"""Whether answers that are held 80% likely are right 80% of the time."""

from typing import NamedTuple

import numpy as np
import torch
from torchmetrics.functional.classification import binary_calibration_error

BINS = 15
"""As in https://arxiv.org/abs/1706.04599."""


class Reliability(NamedTuple):
    """Answers by how sure they were.

    Args:
        counts: answers in each bin, `(n,)`; bin i holds those from i / n on.
        certainty: the mean probability in each bin; NaN where it is empty.
        right: the share that is right, likewise.
        error: the expected calibration error, in [0, 1]: the mean over answers of the distance between the two.
    """

    counts: np.ndarray
    certainty: np.ndarray
    right: np.ndarray
    error: float

    @property
    def bars(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What a picture shows of it."""
        return self.counts, self.certainty, self.right

    @property
    def words(self) -> str:
        """The error, and which way it goes.

        >>> reliability([0.9, 0.9, 0.9, 0.9], [1, 1, 0, 0]).words
        '40.0%: 90.0% sure on average, 50.0% right'
        """
        shares = self.counts / self.counts.sum()
        sure, right = (float(np.nansum(shares * values)) for values in (self.certainty, self.right))
        return f"{self.error:.1%}: {sure:.1%} sure on average, {right:.1%} right"


def reliability(certainty: np.ndarray | list[float], right: np.ndarray | list[int], bins: int = BINS) -> Reliability:
    """Answers in bins of equal width.

    Args:
        certainty: probability of each answer, `(n,)`: of the likeliest class, or of each class of each clip where
            classes do not exclude one another.
        right: 1 where it is right, 0 where not.
        bins: how many.
    """
    sure, hit = torch.as_tensor(certainty, dtype=torch.float64).clamp(0, 1), torch.as_tensor(right).long()
    if not len(sure):
        nothing = np.full(bins, np.nan)
        return Reliability(np.zeros(bins, np.int64), nothing, nothing, float("nan"))
    place = (sure * bins).long().clamp(max=bins - 1).numpy()
    counts = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        means, shares = (np.bincount(place, values.double().numpy(), bins) / counts for values in (sure, hit))
    return Reliability(counts, means, shares, float(binary_calibration_error(sure, hit, n_bins=bins)))
