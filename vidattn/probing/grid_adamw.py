"""AdamW over many small models at once, each with a learning rate and a weight decay of its own."""

from collections.abc import Sequence

import torch
from torch import Tensor


class GridAdamW:
    """AdamW (https://arxiv.org/abs/1711.05101, algorithm 2) on a tensor whose first axis counts models.

    `torch.optim.AdamW` takes one learning rate for a tensor; a parameter group for each model would be a call for each.

    Args:
        weight: `(P, ...)`; changed in place.
        rates: learning rate of each model, P numbers.
        decays: weight decay of each model, P numbers.
        betas: of the two running means.
        eps: added to the denominator.
    """

    def __init__(
        self,
        weight: Tensor,
        rates: Sequence[float],
        decays: Sequence[float],
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        self.weight = weight
        shape = (-1, *[1] * (weight.ndim - 1))
        self.rates, self.decays = torch.tensor(rates).view(shape), torch.tensor(decays).view(shape)
        self.betas, self.eps = betas, eps
        self.first, self.second = torch.zeros_like(weight), torch.zeros_like(weight)
        self.steps = 0

    def step(self, gradient: Tensor, factor: float = 1.0) -> None:
        """One update with this gradient, all learning rates times `factor`."""
        self.steps += 1
        one, two = self.betas
        rates = self.rates * factor
        self.first.lerp_(gradient, 1 - one)
        self.second.mul_(two).addcmul_(gradient, gradient, value=1 - two)
        spread = self.second.sqrt().div_((1 - two**self.steps) ** 0.5).add_(self.eps)
        self.weight.mul_(1 - rates * self.decays)
        self.weight.sub_(torch.div(self.first, spread, out=spread).mul_(rates / (1 - one**self.steps)))
