"""What a training step keeps for its backward pass: the storages that autograd saves, seen on the meta device."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.overrides import TorchFunctionMode

from vidattn.grid import Grid
from vidattn.models.block import Block
from vidattn.models.network import Network


def network_bytes(network: Network, frames: int, height: int, width: int, batch: int = 1) -> int:
    """Bytes kept for the backward pass of `batch` clips by a whole network on the meta device."""
    clip = torch.empty(batch, 3, frames, height, width, dtype=next(network.parameters()).dtype, device="meta")
    return kept_bytes(network, lambda: network(clip))


def block_bytes(block: Block, grid: Grid, runs: int = 1) -> int:
    """Bytes kept for the backward pass by a block on the meta device, its input included, its output not.

    Args:
        block: the block.
        grid: the tokens of one run.
        runs: rows of the batch that the block gets.
    """
    dtype = next(block.parameters()).dtype
    tokens = torch.empty(runs, grid.num_tokens, block.dim, dtype=dtype, device="meta", requires_grad=True)
    return kept_bytes(block, lambda: block(tokens, grid))


def kept_bytes(module: nn.Module, run: Callable[[], object]) -> int:
    """Bytes of everything that autograd saves in `run`, each storage once, but not the weights of `module`.

    Attention counts as the fused kernels have it, of a GPU or, beyond 64 keys, of a CPU: queries, keys, values, the
    output and a logarithm per query, and no table of scores.
    """
    weights = {tensor.untyped_storage()._cdata for tensor in [*module.parameters(), *module.buffers()]}
    kept: dict[int, torch.UntypedStorage] = {}  # holding them keeps their addresses from being used again

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in weights:
            kept[storage._cdata] = storage
        return tensor

    with torch.device("meta"), saved_tensors_hooks(pack, lambda tensor: tensor), _FusedEverywhere():
        run()
    return sum(storage.nbytes() for storage in kept.values())


class _FusedEverywhere(TorchFunctionMode):
    """On the meta device PyTorch takes fused attention apart, into products that would keep the scores."""

    def __torch_function__(self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is not F.scaled_dot_product_attention:
            return func(*args, **(kwargs or {}))
        return _Fused.apply(*args[:3], (kwargs or {}).get("attn_mask"))


class _Fused(torch.autograd.Function):
    """Shapes of fused attention, and what it saves. (The output lies as `(B, n, heads, d)` in memory.)"""

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None) -> Tensor:
        batch, heads, queries, _ = q.shape
        out = q.new_empty(batch, queries, heads, v.shape[-1]).transpose(1, 2)
        logarithms = q.new_empty(batch, heads, queries, dtype=torch.float32)
        ctx.save_for_backward(q, k, v, bias, out, logarithms)
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        raise RuntimeError("shapes have no gradients")
