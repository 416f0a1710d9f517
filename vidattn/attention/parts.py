"""The layers and norms that attention steps and blocks are built from, passed in at construction."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

VIT_STD = 0.02  # of fresh linear layers, in ViT's and TimeSformer's code


def linear(in_features: int, out_features: int, std: float = VIT_STD) -> nn.Linear:
    """A linear layer as ViT and TimeSformer initialise it: weights of a truncated normal, biases zero."""
    layer = nn.Linear(in_features, out_features)
    nn.init.trunc_normal_(layer.weight, std=std)
    nn.init.zeros_(layer.bias)
    return layer


def zero_linear(in_features: int, out_features: int) -> nn.Linear:
    """A linear layer that starts at zero, so that the branch that it ends adds nothing at first."""
    layer = nn.Linear(in_features, out_features)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class QueryValueBias(nn.Module):
    """A linear layer to queries, keys and values with no bias for the keys, not even a parameter.

    VideoMAE, https://arxiv.org/abs/2203.12602, after BEiT, https://arxiv.org/abs/2106.08254. A key's bias adds the
    same to all scores of a query, which the softmax takes away again.

    Args:
        dim: token width D.
        std: of the fresh weights.
    """

    def __init__(self, dim: int, std: float = VIT_STD) -> None:
        super().__init__()
        self.weight = linear(dim, 3 * dim, std).weight
        self.query_bias = nn.Parameter(torch.zeros(dim))
        self.value_bias = nn.Parameter(torch.zeros(dim))

    @property
    def bias(self) -> Tensor:
        """The bias of queries, keys (zeros) and values, `(3D,)`."""
        return torch.cat((self.query_bias, torch.zeros_like(self.query_bias), self.value_bias))

    def forward(self, x: Tensor) -> Tensor:
        """`(..., D)` -> `(..., 3D)`."""
        return F.linear(x, self.weight, self.bias)


def all_biases(dim: int, std: float = VIT_STD) -> nn.Linear:
    """A linear layer to queries, keys and values with a bias for each: ViT's."""
    return linear(dim, 3 * dim, std)


def no_biases(dim: int, std: float = VIT_STD) -> nn.Linear:
    """A linear layer to queries, keys and values without biases."""
    layer = nn.Linear(dim, 3 * dim, bias=False)
    nn.init.trunc_normal_(layer.weight, std=std)
    return layer


QKV_BIASES: dict[str, Callable[[int, float], nn.Linear | QueryValueBias]] = {
    "all": all_biases,
    "query_value": QueryValueBias,
    "none": no_biases,
}
"""Layers that make queries, keys and values, by the biases that they have."""

Norm = Callable[[int, float], nn.Module]
"""Makes a norm over the last axis: of its width, and of what is added to the variance."""


def layer_norm(width: int, eps: float) -> nn.LayerNorm:
    """ViT's norm."""
    return nn.LayerNorm(width, eps=eps)


@dataclass(frozen=True)
class Parts:
    """What a step or a block makes its layers of.

    Attention classes take it as the keyword `parts`; one that does not is built as it is.

    Args:
        norm: makes every norm.
        qkv: makes the layer to queries, keys and values, of the token width and `std`.
        query_key: what queries and keys go through before they meet, in order; each is made of a head's width and
            `norm` (see `vidattn.attention.query_key`).
        std: standard deviation of fresh linear layers.
    """

    norm: Norm = layer_norm
    qkv: Callable[[int, float], nn.Linear | QueryValueBias] = all_biases
    query_key: tuple[Callable[[int, Norm], nn.Module], ...] = ()
    std: float = VIT_STD

    def linear(self, in_features: int, out_features: int) -> nn.Linear:
        """A fresh linear layer with these parts' standard deviation."""
        return linear(in_features, out_features, self.std)


VIT = Parts()
"""ViT's own: LayerNorm, biases everywhere, queries and keys as they are, std 0.02."""
