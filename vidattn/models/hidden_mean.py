"""The mean of all tokens through one more layer before the classifier: CoAtNet's read-out in timm."""

import torch
from torch import Tensor

from vidattn.attention.parts import VIT, Parts
from vidattn.grid import Grid
from vidattn.macs import Macs
from vidattn.models.readout import ReadOut


class HiddenMean(ReadOut):
    """`tanh(fc(norm(mean)))` of all tokens; there is no prefix, and no last norm of the network beside this one.

    The head with a hidden layer of timm's `coatnet_0` to `coatnet_5`.

    Args:
        dim: token width D.
        num_heads: makes no difference.
        parts: what its layers are made of.
    """

    num_prefix = 0
    brings_norm = True

    def __init__(self, dim: int, num_heads: int | None = None, parts: Parts = VIT) -> None:
        super().__init__()
        self.dim = dim
        self.norm = parts.norm(dim, 1e-6)
        self.fc = parts.linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, S, D)` -> `(B, D)`."""
        return torch.tanh(self.fc(self.norm(self.pooled(x))))

    def pooled(self, x: Tensor) -> Tensor:
        """`(B, S, n)` -> `(B, n)`: the mean."""
        return x.mean(1)

    def macs(self, grid: Grid) -> Macs:
        """`D^2`."""
        return Macs(linear=self.dim**2)
