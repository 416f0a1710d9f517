"""The parts of a transformer block that are not attention."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidattn.attention.imported import named
from vidattn.attention.parts import VIT, Parts
from vidattn.macs import Macs
from vidattn.mistakes import Mistake

Activation = Callable[[Tensor], Tensor]


def gelu(x: Tensor) -> Tensor:
    """GELU, https://arxiv.org/abs/1606.08415, exact; where no gradient is kept in place, a quarter of the time."""
    return F.gelu(x) if torch.is_grad_enabled() else torch.ops.aten.gelu_(x)


def gelu_tanh(x: Tensor) -> Tensor:
    """GELU by its approximation with tanh (section 2 of the same), as in the code of BERT and ViViT."""
    approximated = F.gelu if torch.is_grad_enabled() else torch.ops.aten.gelu_
    return approximated(x, approximate="tanh")


ACTIVATIONS: dict[str, Activation] = {"gelu": gelu, "gelu_tanh": gelu_tanh}
"""Activations of an MLP by the name that a configuration gives; they may overwrite what they are given."""


def activation_named(name: str) -> Activation:
    """The activation of this name, or at this import path: a function such as `torch.nn.functional.silu`, or a class
    such as `torch.nn.SiLU`, of which one is made.

    Raises:
        ValueError: there is none.
    """
    found = named(name, ACTIVATIONS, "activation")
    if not callable(found):
        raise Mistake(f"activation={name!r} is neither a function nor a module; wanted one of a tensor")
    return found() if isinstance(found, type) else found


class Mlp(nn.Module):
    """Two linear layers with an activation between, on each token. ViT, https://arxiv.org/abs/2010.11929, section 3.1.

    Args:
        dim: token width D.
        hidden: width between the layers, 4D in ViT.
        activation: of what comes out of the first layer, which nothing else reads.
        parts: what the layers are made of.
    """

    def __init__(self, dim: int, hidden: int, activation: Activation = gelu, parts: Parts = VIT) -> None:
        super().__init__()
        self.activation = activation
        self.fc1 = parts.linear(dim, hidden)
        self.fc2 = parts.linear(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        """`(..., D)` -> `(..., D)`."""
        return self.fc2(self.activation(self.fc1(x)))

    def macs(self, tokens: int) -> Macs:
        """`2 r D^2` per token, with `r = hidden / D`."""
        return Macs(linear=2 * tokens * self.fc1.in_features * self.fc1.out_features)

    def macs_of_call(self, inputs: tuple, output: Tensor) -> Macs:
        """Cost of a call of `forward` with these inputs."""
        return self.macs(output.numel() // output.shape[-1])
