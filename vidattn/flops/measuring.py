"""What any module does, whoever wrote it: products counted on the meta device, and the rest listed by operator."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter, tree_map
from torch.utils.flop_counter import FlopCounterMode, flop_registry

from vidattn.flops.weightless import without_weights

MOVES = """
_to_copy _unsafe_view alias arange as_strided_ bernoulli_ cat clone constant_pad_nd copy copy_ detach embedding
empty empty_like empty_permuted empty_strided expand eye fill fill_ flip full full_like gather im2col index
index_put index_put_ index_select lift_fresh masked_fill masked_fill_ new_empty new_empty_strided new_full new_ones
new_zeros one_hot ones ones_like pixel_shuffle pixel_unshuffle reflection_pad2d repeat replication_pad2d resize_
roll scalar_tensor scatter select_scatter slice_scatter split_with_sizes_copy stack tril triu unfold where zero_
zeros zeros_like
"""
"""Operators that put numbers somewhere and compute none."""


@dataclass(frozen=True)
class Uncounted:
    """An operator with arithmetic that is no matrix product or convolution.

    Attributes:
        operator: its name in PyTorch, such as `native_layer_norm`.
        calls: how often it ran.
        elements: numbers of the largest tensor that each call read or wrote, summed over the calls.
    """

    operator: str
    calls: int
    elements: int


@dataclass(frozen=True)
class Measured:
    """What one call of a module did, in plain numbers; 1 MAC = 2 FLOPs.

    Attributes:
        parameters: numbers that the module learns.
        macs: multiply-accumulates of matrix products and convolutions, fused attention included.
        by_operator: the same, by operator.
        by_module: the same, by name of the submodule; a module includes those within it.
        uncounted: everything else that computes, the most elements first.
    """

    parameters: int
    macs: int
    by_operator: dict[str, int]
    by_module: dict[str, int] = field(repr=False)
    uncounted: tuple[Uncounted, ...] = field(repr=False)

    @property
    def flops(self) -> int:
        """Floating-point operations of the products: 2 x MACs."""
        return 2 * self.macs


def measure(module: nn.Module, *inputs: Any) -> Measured:
    """Parameters and multiply-accumulates of `module(*inputs)`, by `FlopCounterMode` on the meta device.

    Nothing is computed and no weights are made: a module built under `torch.device("meta")` will do. Softmax, GELU,
    norms, sums, pooling and the like are in nobody's MACs; they are listed, so that all can see what was left out.

    >>> cost = measure(nn.Sequential(nn.Linear(8, 4), nn.GELU()), torch.empty(3, 8))
    >>> cost.macs, cost.uncounted
    (96, (Uncounted(operator='gelu', calls=1, elements=12),))

    Args:
        module: any module that runs on meta tensors; it stays as it is, and so does its mode (training or not).
        inputs: what to call it with; of tensors only shape and type matter.

    Raises:
        RuntimeError: the module looks at values, which the meta device has not.
    """
    twin = without_weights(module)
    inputs = tree_map(lambda value: value.to("meta") if isinstance(value, Tensor) else value, inputs)
    others = _Others()
    with torch.device("meta"), FlopCounterMode(display=False) as counter, others:
        twin(*inputs)
    counts = counter.get_flop_counts()
    root = type(twin).__name__
    return Measured(
        parameters=sum(parameter.numel() for parameter in module.parameters()),
        macs=counter.get_total_flops() // 2,
        by_operator={_name(operator): flops // 2 for operator, flops in counts.get("Global", {}).items()},
        by_module={
            name.removeprefix(f"{root}."): sum(flops.values()) // 2
            for name, flops in counts.items()
            if name not in ("Global", root)
        },
        uncounted=tuple(
            Uncounted(name, calls, others.elements[name])
            for name, calls in sorted(others.calls.items(), key=lambda call: -others.elements[call[0]])
        ),
    )


class _Others(TorchDispatchMode):
    """Notes every operator that computes and that `FlopCounterMode` has no formula for."""

    def __init__(self) -> None:
        super().__init__()
        self.moves = set(MOVES.split())
        self.calls: Counter[str] = Counter()
        self.elements: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        name = _name(func.overloadpacket)
        if func.overloadpacket not in flop_registry and not func.is_view and name not in self.moves:
            self.calls[name] += 1
            self.elements[name] += max(x.numel() for x in tree_iter((args, out)) if isinstance(x, Tensor))
        return out


def _name(operator: Any) -> str:
    return str(operator).split(".")[-1]
