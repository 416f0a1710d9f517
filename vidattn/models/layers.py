"""The parts of a transformer block that are not attention."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidattn.attention.heads import linear
from vidattn.macs import Macs


class Mlp(nn.Module):
    """Two linear layers with a GELU between, on each token. ViT, https://arxiv.org/abs/2010.11929, section 3.1.

    Args:
        dim: token width D.
        hidden: width between the layers, 4D in ViT.
    """

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = linear(dim, hidden)
        self.fc2 = linear(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        """`(..., D)` -> `(..., D)`."""
        hidden = self.fc1(x)
        # In place where nothing will ask for it again: 4x less time in this layer (PERFORMANCE, GELU).
        hidden = F.gelu(hidden) if torch.is_grad_enabled() else torch.ops.aten.gelu_(hidden)
        return self.fc2(hidden)

    def macs(self, tokens: int) -> Macs:
        """`2 r D^2` per token, with `r = hidden / D`."""
        return Macs(linear=2 * tokens * self.fc1.in_features * self.fc1.out_features)
