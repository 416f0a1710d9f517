"""How far the clips of a set lie apart in a network's eyes: 0 where it has collapsed."""

import torch
from torch import Tensor
from torchmetrics import Metric


class Spread(Metric):
    """Standard deviation of a feature over all clips, mean over the features; processes count together.

    What is normed to deviation 1 within a token spreads by less than 1 over clips; a network that gives all clips the
    same features, by 0 (SimSiam, https://arxiv.org/abs/2011.10566, section 4.1, watches the same).

    Args:
        width: number of features D.
    """

    full_state_update = False
    total: Tensor
    squares: Tensor
    clips: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        for name, zeros in (("total", torch.zeros(width)), ("squares", torch.zeros(width)), ("clips", torch.zeros(()))):
            self.add_state(name, zeros.double(), dist_reduce_fx="sum")

    def update(self, features: Tensor) -> None:
        """Add clips, `(B, D)`."""
        features = features.double()
        self.total += features.sum(0)
        self.squares += features.square().sum(0)
        self.clips += len(features)

    def compute(self) -> Tensor:
        """The spread, a scalar; nan before two clips were seen."""
        variance = (self.squares - self.total.square() / self.clips) / (self.clips - 1)
        return variance.clamp(min=0).sqrt().mean().float()
