"""The parts of a transformer block that are not attention."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidattn.attention.heads import linear
from vidattn.macs import Macs

ACTIVATIONS = {"gelu": "none", "gelu_tanh": "tanh"}
"""Exact, or by tanh as in the code of BERT and ViViT: the name in a configuration -> what PyTorch calls it."""


class Mlp(nn.Module):
    """Two linear layers with a GELU between, on each token. ViT, https://arxiv.org/abs/2010.11929, section 3.1.

    Args:
        dim: token width D.
        hidden: width between the layers, 4D in ViT.
        activation: the GELU, a name of `ACTIVATIONS`.
    """

    def __init__(self, dim: int, hidden: int, activation: str = "gelu") -> None:
        super().__init__()
        self.approximate = ACTIVATIONS[activation]
        self.fc1 = linear(dim, hidden)
        self.fc2 = linear(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        """`(..., D)` -> `(..., D)`."""
        hidden = self.fc1(x)
        # In place where nothing will ask for it again: 4x less time in this layer (PERFORMANCE, GELU).
        gelu = F.gelu if torch.is_grad_enabled() else torch.ops.aten.gelu_
        hidden = gelu(hidden, approximate=self.approximate)
        return self.fc2(hidden)

    def macs(self, tokens: int) -> Macs:
        """`2 r D^2` per token, with `r = hidden / D`."""
        return Macs(linear=2 * tokens * self.fc1.in_features * self.fc1.out_features)
