"""All GPUs wait for the slowest of each step."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri


@dataclass(frozen=True)
class Stragglers:
    """Step times of a mean of 1, each GPU's drawn by itself in each step: log-normal, so that none is negative.

    Args:
        spread: their deviation.
    """

    spread: float

    @property
    def sigma(self) -> float:
        """Deviation of the logarithm."""
        return math.sqrt(math.log1p(self.spread**2))

    def draw(self, rng: np.random.Generator, size: int | tuple[int, ...]) -> NDArray[np.float64]:
        """Times of single GPUs."""
        return np.exp(self.sigma * rng.standard_normal(size) - self.sigma**2 / 2)

    def draw_slowest(self, rng: np.random.Generator, gpus: int, steps: int) -> NDArray[np.float64]:
        """Time of the slowest of `gpus`, of each step, `(steps,)`: one number is drawn for a step and not one for each
        GPU, as the largest of n uniform numbers is distributed as the n-th root of one."""
        behind = -np.expm1(np.log(rng.random(steps)) / gpus)  # 1 - u^(1/n), exact where that is near 0
        return np.exp(-self.sigma * ndtri(np.clip(behind, 1e-300, 1 - 1e-16)) - self.sigma**2 / 2)

    def slowest(self, gpus: int) -> float:
        """Mean time of the slowest of `gpus`: the integral of the quantile over the largest one's distribution."""
        z = np.linspace(-9, 12, 4201)
        reached = np.exp(gpus * np.log(ndtr(z)))
        middle = np.exp(self.sigma * (z[1:] + z[:-1]) / 2 - self.sigma**2 / 2)
        return float(middle @ np.diff(reached))
