"""Attention that weighs its values in e4m3, in every scheme."""

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from vidattn.attention.base import VideoAttention
from vidattn.models.recorder import SOFTMAX, fused_weights
from vidattn.quantization.e4m3 import LARGEST, rounded, scaled

PRODUCTS = (torch.matmul, Tensor.matmul, Tensor.__matmul__, torch.bmm, Tensor.bmm)


def weighed(weights: Tensor, v: Tensor) -> Tensor:
    """`weights @ v` with both in e4m3.

    Weights lie between 0 and 1, so that all are multiplied by 448, as in SageAttention2
    (https://arxiv.org/abs/2411.10958, section 3.3); each channel of the values has its own scale. Scores and their
    softmax are not rounded: small differences between scores are what weights tell. The products of e4m3 numbers are
    exact in float32, in which they are summed.

    Args:
        weights: `(..., m, n)` in [0, 1].
        v: `(..., n, d)`.
    """
    values, scale = scaled(v.float(), -2)
    found = rounded(weights.float() * LARGEST).float() @ values.float() * (scale / LARGEST)
    return found.to(v.dtype)


class E4M3Products(TorchFunctionMode):
    """While it is entered, values are weighed by `weighed`: behind a softmax, and in place of fused kernels.

    Attributes:
        found: how many products there were.
    """

    def __init__(self) -> None:
        super().__init__()
        self.found = 0
        self._weights: Tensor | None = None

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is F.scaled_dot_product_attention and not kwargs.get("enable_gqa"):
            return self._fused(*args, **kwargs)
        if func in SOFTMAX:
            self._weights = func(*args, **kwargs)
            return self._weights
        if func in PRODUCTS and self._weights is not None and args[0] is self._weights:
            self.found += 1
            return weighed(*args)
        return func(*args, **kwargs)

    def _fused(self, q: Tensor, k: Tensor, v: Tensor, *settings: Any, **named: Any) -> Tensor:
        self.found += 1
        return weighed(fused_weights(q, k, *settings, **named), v)


class _Around:
    """Enters the mode before a part runs, and leaves it behind."""

    def __init__(self) -> None:
        self.entered: list[E4M3Products] = []

    def begin(self, *_: Any) -> None:
        self.entered.append(E4M3Products())
        self.entered[-1].__enter__()

    def end(self, *_: Any) -> None:
        self.entered.pop().__exit__(None, None, None)


def weigh_in_e4m3(network: nn.Module) -> None:
    """From now on, all attention of the network weighs its values in e4m3, whichever of its methods is called, and also
    where its steps are put into other blocks."""
    around = _Around()
    steps = [part for part in network.modules() if isinstance(part, VideoAttention)]
    for part in dict.fromkeys([*steps, *_parts(network)]):
        part.register_forward_pre_hook(around.begin)
        part.register_forward_hook(around.end, always_call=True)


def _parts(module: nn.Module) -> Iterator[nn.Module]:
    """What stands in no list: read-outs, say. Modes within modes do no harm."""
    for child in module.children():
        if not isinstance(child, nn.ModuleList):
            yield child
            yield from _parts(child)
