"""What stands in a LayerNorm's place."""

import torch
from torch import Tensor, nn


class DynamicTanh(nn.Module):
    """`weight * tanh(alpha * x) + bias`, with one learned `alpha`: each component on its own, no mean or variance.

    DyT of Transformers without Normalization, https://arxiv.org/abs/2503.10622, section 4. `alpha` starts at 0.5 in
    every place, which the paper recommends for all networks but large language models (for those, higher in attention
    than elsewhere, and lower the wider they are: section 7).

    Args:
        width: components of a vector, or the shape of the last axes, as of a LayerNorm.
        alpha: first value of the learned scale.
    """

    def __init__(self, width: int | tuple[int, ...], alpha: float = 0.5) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.full((1,), alpha))
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        """`(..., D)` -> `(..., D)`."""
        return torch.addcmul(self.bias, self.weight, torch.tanh(self.alpha * x))


NORMS: dict[str, type[nn.Module]] = {"layer_norm": nn.LayerNorm, "dyt": DynamicTanh}
"""Norms by the name that a configuration gives."""


def use_norm(network: nn.Module, name: str) -> None:
    """Put the norm of this name in place of every LayerNorm of `network`, those inside attention steps included."""
    if name == "layer_norm":
        return
    for parent in list(network.modules()):
        for place, child in list(parent.named_children()):
            if isinstance(child, nn.LayerNorm):
                parent.register_module(place, NORMS[name](child.normalized_shape))
