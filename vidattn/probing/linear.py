"""Linear probes: a layer on frozen features for each setting of a grid, all trained at once on the same batches."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from vidattn.checks import check_above_zero, check_positive
from vidattn.mistakes import Mistake
from vidattn.probing.grid_adamw import GridAdamW
from vidattn.probing.rows import LabelledRows


class Setting(NamedTuple):
    """How one probe of a grid is trained."""

    lr: float
    weight_decay: float

    def __str__(self) -> str:
        return f"lr {self.lr:g}, weight decay {self.weight_decay:g}"


GRID = tuple(Setting(lr, decay) for lr in (5e-3, 3e-3, 1e-3, 3e-4, 1e-4) for decay in (0.01, 0.1, 0.4, 0.8))
"""V-JEPA 2's twenty (https://arxiv.org/abs/2506.09985, configurations of its evaluation)."""


def check_settings(settings: Sequence[Setting]) -> None:
    """
    Raises:
        ValueError: there are none, or a number is out of range.
    """
    if not settings:
        raise Mistake("there is no setting to train; give one Setting(lr, weight_decay) at least")
    for setting in settings:
        check_above_zero(lr=setting.lr)
        if setting.weight_decay < 0:
            raise Mistake(f"weight_decay={setting.weight_decay} must be 0 or more")


@dataclass(frozen=True)
class LinearProbes:
    """Softmax regression on standardised features by AdamW, half a cosine to 0 and no warm-up.

    Each setting sees the same videos, views and batches in the same order; what is learnt of one does not depend on
    which others are in the grid.

    Args:
        settings: of the grid.
        epochs: passes over the videos.
        batch_size: videos in a step.

    Raises:
        ValueError: there is no setting, or a number is out of range.
    """

    settings: Sequence[Setting] = GRID
    epochs: int = 50
    batch_size: int = 64

    def __post_init__(self) -> None:
        check_positive(epochs=self.epochs, batch_size=self.batch_size)
        check_settings(self.settings)

    def fit(self, rows: LabelledRows, num_classes: int, seed: int = 0) -> "FittedLinear":
        """Train all settings.

        Args:
            rows: training videos.
            num_classes: K.
            seed: of order and views.
        """
        generator = torch.Generator().manual_seed(seed)
        mean, deviation = rows.moments()
        # The bias is the last column, for which every row has a 1: one product and one update instead of two.
        layers = torch.zeros(len(self.settings), num_classes, rows.width + 1)
        optimizer = GridAdamW(layers, [one.lr for one in self.settings], [one.weight_decay for one in self.settings])
        steps = self.epochs * math.ceil(len(rows) / self.batch_size)
        for _ in range(self.epochs):
            for batch in torch.randperm(len(rows), generator=generator).split(self.batch_size):
                x = (rows.draw(batch.tolist(), generator) - mean) / deviation
                x = torch.cat((x, x.new_ones(len(x), 1)), 1)
                factor = (1 + math.cos(math.pi * optimizer.steps / steps)) / 2
                optimizer.step(gradient(x, rows.labels[batch], layers), factor)
        return FittedLinear(layers[..., :-1], layers[..., -1], mean, deviation)


def gradient(x: Tensor, labels: Tensor, weight: Tensor) -> Tensor:
    """That of the mean cross-entropy of P softmax regressions, `(P, K, D)`.

    Args:
        x: `(B, D)`.
        labels: `(B,)`.
        weight: `(P, K, D)`.
    """
    probes, classes, width = weight.shape
    error = (x @ weight.view(-1, width).T).view(-1, probes, classes).softmax(-1)
    error[torch.arange(len(x)), :, labels] -= 1
    return (error.view(len(x), -1).T @ x).div_(len(x)).view_as(weight)


@dataclass(frozen=True, eq=False)
class FittedLinear:
    """Trained probes.

    Args:
        weight: `(P, K, D)`, of standardised features.
        bias: `(P, K)`.
        mean: `(D,)`, of the training features.
        deviation: `(D,)`.
    """

    weight: Tensor
    bias: Tensor
    mean: Tensor
    deviation: Tensor

    def probabilities(self, rows: LabelledRows) -> Tensor:
        """`(P, N, K)`, the mean over the views of each video."""
        answers = []
        for views in rows.views:
            x = (views.float() - self.mean) / self.deviation
            logits = torch.einsum("vd,pkd->pvk", x, self.weight) + self.bias[:, None]
            answers.append(logits.softmax(-1).mean(1))
        return torch.stack(answers, 1)

    def layer(self, setting: int) -> tuple[Tensor, Tensor]:
        """Weight `(K, D)` and bias `(K,)` of one probe for features as they are, as a network's head takes them."""
        weight = self.weight[setting] / self.deviation
        return weight, self.bias[setting] - weight @ self.mean
