"""What may be wrong with attention while it is learnt, as a number that can be made small."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from vidattn.models.watching import SeesGates, SeesWeights


class Measure(ABC):
    """A number of attention weights, or of gates; the smaller, the better."""

    name: ClassVar[str]
    """Under which it is logged."""
    sight: ClassVar[type[SeesWeights | SeesGates]] = SeesWeights
    """What it measures."""

    @abstractmethod
    def of(self, weights: Tensor) -> Tensor:
        """Of weights `(..., n)` whose last axis sums to 1, the mean over the rows; or of gates. A scalar."""


@dataclass(frozen=True)
class DistanceFromUniform(Measure):
    """`sum_j |w_j - 1/n|` of a row of n weights: from 0, where all keys count alike, to `2 - 2/n`, where one is all.

    The plain L1 norm says nothing here: a softmax's row is positive and sums to 1, so that its L1 norm is always 1 and
    has no gradient. Keys that a step masks away count among the n.
    """

    name = "distance_from_uniform"

    def of(self, weights: Tensor) -> Tensor:
        """The mean over the rows."""
        return (weights - 1 / weights.shape[-1]).abs().sum(-1).mean()


@dataclass(frozen=True)
class MissingEntropy(Measure):
    """`log n - H(w)` of a row of n weights, or `KL(w || uniform)`: from 0, where all keys count alike, to `log n`.

    Steeper than `DistanceFromUniform` where one key takes nearly all: Regularizing Neural Networks by Penalizing
    Confident Output Distributions, https://arxiv.org/abs/1701.06548, section 3, for attention in place of answers.
    """

    name = "missing_entropy"

    def of(self, weights: Tensor) -> Tensor:
        """The mean over the rows."""
        entropy = -(weights * weights.clamp(min=1e-12).log()).sum(-1)
        return (math.log(weights.shape[-1]) - entropy).mean()


@dataclass(frozen=True)
class GateSize(Measure):
    """`|g|`, the plain L1 norm of gates over their number: it closes those that are not needed.

    For blocks that gate by a sigmoid: `squeeze_excite`, `channel_attention`, `spatial_gate`, `cbam`. Gates are not
    bound to sum to 1, so that here, other than with a softmax, the norm has something to say.
    """

    name = "gate_size"
    sight = SeesGates

    def of(self, weights: Tensor) -> Tensor:
        """The mean over all gates."""
        return weights.abs().mean()
