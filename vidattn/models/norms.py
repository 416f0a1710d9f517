"""The norms of a network."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vidattn.attention.imported import named
from vidattn.attention.parts import Norm, layer_norm
from vidattn.mistakes import Mistake


class DynamicTanh(nn.Module):
    """`weight * tanh(alpha * x) + bias`, with one learned `alpha`: each component on its own, no mean or variance.

    DyT of Transformers without Normalization, https://arxiv.org/abs/2503.10622, section 4. `alpha` starts at 0.5 in
    every place, which the paper recommends for all networks but large language models (for those, higher in attention
    than elsewhere, and lower the wider they are: section 7).

    Args:
        width: components of a vector.
        eps: offered to every norm; there is no variance here.
        alpha: first value of the learned scale.
    """

    def __init__(self, width: int, eps: float = 0.0, alpha: float = 0.5) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.full((1,), alpha))
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        """`(..., D)` -> `(..., D)`."""
        return torch.addcmul(self.bias, self.weight, torch.tanh(self.alpha * x))


NORMS: dict[str, Norm] = {"layer_norm": layer_norm, "dyt": DynamicTanh}
"""Norms by the name that a configuration gives: each makes one of a width and what is added to the variance."""


def norm_named(name: str) -> Norm:
    """The norm of this name, or at this import path: `my_package.MyNorm`, made of `(width, eps)`, or of `(width)` if it
    takes no `eps` (as `torch.nn.RMSNorm` does).

    Raises:
        ValueError: there is none.
    """
    cls = named(name, NORMS, "norm")
    if name in NORMS:
        return cls
    if not callable(cls):
        raise Mistake(f"norm={name!r} is no class that makes a norm of a width")
    return _Imported(cls, "eps" in inspect.signature(cls).parameters)


@dataclass(frozen=True)
class _Imported:
    """Makes norms of a class that we did not write; a class and no function, so that processes can be sent it."""

    cls: Callable[..., nn.Module]
    takes_eps: bool

    def __call__(self, width: int, eps: float) -> nn.Module:
        return self.cls(width, eps=eps) if self.takes_eps else self.cls(width)
