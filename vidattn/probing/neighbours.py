"""Nearest neighbours: what the training videos that look most alike to the network are."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vidattn.checks import check_above_zero, check_positive
from vidattn.probing.rows import LabelledRows


@dataclass(frozen=True)
class Neighbours:
    """The k nearest training videos vote, each with `exp(cosine / temperature)`.

    As in DINO's evaluation (https://arxiv.org/abs/2104.14294, section 4.1; the rule is that of
    https://arxiv.org/abs/1805.01978, section 3.4), on the mean over a video's views; nothing is trained.

    Args:
        settings: the numbers k to choose from.
        temperature: of the votes.

    Raises:
        ValueError: a number is out of range.
    """

    settings: Sequence[int] = (1, 5, 10, 20)
    temperature: float = 0.07

    def __post_init__(self) -> None:
        for k in self.settings:
            check_positive(k=k)
        check_above_zero(temperature=self.temperature)

    def fit(self, rows: LabelledRows, num_classes: int, seed: int = 0) -> "FittedNeighbours":
        """Keep the training videos."""
        return FittedNeighbours(self, F.normalize(rows.means(), dim=1), rows.labels, num_classes)


@dataclass(frozen=True, eq=False)
class FittedNeighbours:
    """Training videos that vote."""

    rule: Neighbours
    vectors: Tensor
    labels: Tensor
    num_classes: int

    def probabilities(self, rows: LabelledRows) -> Tensor:
        """`(P, N, K)`, the share of the votes for each class, for each k."""
        likeness = F.normalize(rows.means(), dim=1) @ self.vectors.T
        answers = []
        for k in self.rule.settings:
            nearest, places = likeness.topk(min(k, len(self.vectors)), dim=1)
            votes = ((nearest - nearest[:, :1]) / self.rule.temperature).exp()
            shares = torch.zeros(len(rows), self.num_classes).scatter_add_(1, self.labels[places], votes)
            answers.append(shares / shares.sum(1, keepdim=True))
        return torch.stack(answers)
