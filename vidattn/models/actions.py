"""What people do, as a decoder's logits say it: one action each, or several."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from vidattn.checks import check_above_zero


class Ratio(NamedTuple):
    """A loss as a sum and what it is divided by, so that batches and processes can be put together first.

    Args:
        total: the sum, of each layer `(L,)`.
        over: what it is divided by, `(L,)`.
    """

    total: Tensor
    over: Tensor


class Actions(ABC):
    """What the C + 1 logits of a query mean: C actions, and nobody at the end. Its fields are plain values."""

    several: bool
    """Whether a person may do several things at once."""

    @abstractmethod
    def scores(self, logits: Tensor) -> Tensor:
        """How sure a query is of somebody who does each action: `(..., C + 1)` -> `(..., C)`, from 0 to 1."""

    @abstractmethod
    def scores_of_given(self, logits: Tensor) -> Tensor:
        """Likewise of a box in which somebody is known to be."""

    @abstractmethod
    def costs(self, logits: Tensor, wanted: Tensor) -> Tensor:
        """What speaks against a query for a person: `(..., Q, C + 1)` and `(..., P, C)` -> `(..., Q, P)`."""

    @abstractmethod
    def losses(self, logits: Tensor, wanted: Tensor, somebody: Tensor) -> list[Ratio]:
        """The loss of queries whose people are known, in parts to be added, each of every layer.

        Args:
            logits: `(L, B, Q, C + 1)`.
            wanted: `(L, B, Q, C)`, 1 for what each query's person does.
            somebody: `(L, B, Q)`, whether it has one.
        """


@dataclass(frozen=True)
class OneAction(Actions):
    """One action a person: a softmax over the actions and nobody, and cross-entropy.

    DETR, https://arxiv.org/abs/2005.12872, section 3.1, with the mean weighted as in its code.

    Args:
        no_object: weight of queries that shall find nobody, of which there are more.

    Raises:
        ValueError: it is not above 0.
    """

    no_object: float = 0.1
    several = False

    def __post_init__(self) -> None:
        check_above_zero(no_object=self.no_object)

    def scores(self, logits: Tensor) -> Tensor:
        """Probabilities of the softmax."""
        return logits.softmax(-1)[..., :-1]

    def scores_of_given(self, logits: Tensor) -> Tensor:
        """The same with nobody left out."""
        return logits[..., :-1].softmax(-1)

    def costs(self, logits: Tensor, wanted: Tensor) -> Tensor:
        """Less the probability of the person's action."""
        return -(self.scores(logits) @ wanted.transpose(-2, -1))

    def losses(self, logits: Tensor, wanted: Tensor, somebody: Tensor) -> list[Ratio]:
        """Cross-entropy, by the weights of all queries."""
        target = torch.where(somebody, wanted.argmax(-1), wanted.shape[-1])
        weights = torch.where(somebody, 1.0, self.no_object)
        entropy = F.cross_entropy(logits.movedim(-1, 1), target, reduction="none")
        return [Ratio((weights * entropy).sum((1, 2)), weights.sum((1, 2)))]


@dataclass(frozen=True)
class SeveralActions(Actions):
    """Any number of actions a person: a sigmoid for each, and one for nobody.

    As TubeR's classification, https://arxiv.org/abs/2104.00969, section 3.4: who is a person is told from all queries,
    what they do from those that have found one.

    Args:
        no_object: weight of queries that shall find nobody.
        weight: of the actions over that of somebody being there; both are means, the actions' over their number.

    Raises:
        ValueError: a weight is not above 0.
    """

    no_object: float = 0.1
    weight: float = 10.0
    several = True

    def __post_init__(self) -> None:
        check_above_zero(no_object=self.no_object, weight=self.weight)

    def scores(self, logits: Tensor) -> Tensor:
        """That of the action times that of somebody."""
        return logits[..., :-1].sigmoid() * (-logits[..., -1:]).sigmoid()

    def scores_of_given(self, logits: Tensor) -> Tensor:
        """That of the action alone."""
        return logits[..., :-1].sigmoid()

    def costs(self, logits: Tensor, wanted: Tensor) -> Tensor:
        """Less the mean score of the person's actions; of one who does nothing less that of somebody."""
        many = wanted.sum(-1)[..., None, :]
        mean = self.scores(logits) @ wanted.transpose(-2, -1) / many.clamp(min=1)
        return -torch.where(many > 0, mean, (-logits[..., -1:]).sigmoid())

    def losses(self, logits: Tensor, wanted: Tensor, somebody: Tensor) -> list[Ratio]:
        """Binary cross-entropy of nobody, by the weights of all queries, and of the actions, by the people found."""
        there = somebody.to(logits.dtype)
        weights = torch.where(somebody, 1.0, self.no_object)
        nobody = F.binary_cross_entropy_with_logits(logits[..., -1], 1 - there, reduction="none")
        actions = F.binary_cross_entropy_with_logits(logits[..., :-1], wanted.to(logits.dtype), reduction="none")
        return [
            Ratio((weights * nobody).sum((1, 2)), weights.sum((1, 2))),
            Ratio(self.weight * (there * actions.mean(-1)).sum((1, 2)), there.sum((1, 2))),
        ]
