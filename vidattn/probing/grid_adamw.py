"""AdamW over many small models at once, each with a learning rate and a weight decay of its own."""

from collections.abc import Sequence

import torch
from torch import Tensor


class GridAdamW:
    """AdamW (https://arxiv.org/abs/1711.05101, algorithm 2) on tensors whose first axis counts models.

    `torch.optim.AdamW` takes one learning rate for a tensor; a parameter group for each model would be a call for each.

    Args:
        tensors: `(P, ...)` each; changed in place.
        rates: learning rate of each model, P numbers.
        decays: weight decay of each model, P numbers.
        betas: of the two running means.
        eps: added to the denominator.
    """

    def __init__(
        self,
        tensors: Sequence[Tensor],
        rates: Sequence[float],
        decays: Sequence[float],
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        self.tensors = tensors
        self.rates, self.decays = torch.tensor(rates), torch.tensor(decays)
        self.betas, self.eps = betas, eps
        self.first = [torch.zeros_like(tensor) for tensor in tensors]
        self.second = [torch.zeros_like(tensor) for tensor in tensors]
        self.steps = 0

    def step(self, gradients: Sequence[Tensor], factor: float = 1.0) -> None:
        """One update with these gradients, all learning rates times `factor`."""
        self.steps += 1
        one, two = self.betas
        root = (1 - two**self.steps) ** 0.5
        for tensor, gradient, first, second in zip(self.tensors, gradients, self.first, self.second, strict=True):
            shape = (-1, *[1] * (tensor.ndim - 1))
            rates = (self.rates * factor).view(shape)
            tensor.mul_(1 - rates * self.decays.view(shape))
            first.lerp_(gradient, 1 - one)
            second.mul_(two).addcmul_(gradient, gradient, value=1 - two)
            step = first / (second.sqrt().div_(root).add_(self.eps))
            tensor.sub_(step.mul_(rates / (1 - one**self.steps)))
