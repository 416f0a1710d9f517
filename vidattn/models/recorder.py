"""Attention weights of a forward pass, in every scheme: for maps, and for losses on them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from vidattn.attention.image.linear import linear_attend, linear_weights
from vidattn.attention.per_frame import PerFrame

SOFTMAX = (F.softmax, torch.softmax, Tensor.softmax)


def fused_weights(
    q: Tensor,
    k: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
) -> Tensor:
    """The weights `(..., M, N)` that `F.scaled_dot_product_attention` gives values behind these arguments; as in
    evaluation there is no dropout."""
    scores = q @ k.mT * (q.shape[-1] ** -0.5 if scale is None else scale)
    if is_causal:
        attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        scores = scores.masked_fill(~attn_mask, float("-inf"))
    elif attn_mask is not None:
        scores = scores + attn_mask
    return scores.softmax(-1)


@dataclass
class Visit:
    """One run of a module: what it was given, and its attention weights in the order in which it made them."""

    args: tuple[Any, ...]
    weights: list[Tensor] = field(default_factory=list)


class Recording(TorchFunctionMode):
    """While it is entered, keeps the attention weights of `modules`: whatever softmax gives, fused kernels included.

    The weights are those that the forward pass uses, so a loss on them has gradients. Attention is computed with its
    weights in memory meanwhile. Blocks must not be computed again in the backward pass (`gradient_checkpointing`), nor
    be compiled: there would be nothing to see.

    Args:
        modules: attention steps and read-outs; each is to run once.
        memory_limit: bytes that all weights together may take.

    Attributes:
        visits: what each module was given, and its weights; only modules that ran.
    """

    def __init__(self, modules: Iterable[nn.Module], memory_limit: float) -> None:
        super().__init__()
        self.modules = list(modules)
        self.memory_limit = memory_limit
        self.bytes = 0
        self.visits: dict[nn.Module, Visit] = {}
        self.running: list[nn.Module] = []

    def __enter__(self) -> "Recording":
        self.hooks = [module.register_forward_pre_hook(self._begin) for module in self.modules]
        self.hooks += [module.register_forward_hook(self._end) for module in self.modules]
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        for hook in self.hooks:
            hook.remove()

    def _begin(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        self.visits[module] = Visit(args)
        self.running.append(module)

    def _end(self, *_: Any) -> None:
        self.running.pop()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if not self.running or isinstance(self.running[-1], PerFrame):  # image blocks: see `measured`
            return func(*args, **kwargs)
        if func in SOFTMAX:
            return self._keep(func(*args, **kwargs))
        if func is linear_attend:
            self._book(args[0], args[1])
            return self._keep(linear_weights(*args[:2])) @ args[2]
        if func is F.scaled_dot_product_attention and not kwargs.get("enable_gqa"):
            return self._attention(*args, **kwargs)
        return func(*args, **kwargs)

    def _attention(self, q: Tensor, k: Tensor, v: Tensor, *settings: Any, **named: Any) -> Tensor:
        """What the fused kernel gives, with weights that can be kept."""
        self._book(q, k)
        return self._keep(fused_weights(q, k, *settings, **named)) @ v

    def _book(self, q: Tensor, k: Tensor) -> None:
        """Raise before the weights are made, rather than run out of memory."""
        wanted = self.bytes + q.shape[:-1].numel() * k.shape[-2] * q.element_size()
        if wanted > self.memory_limit:
            raise MemoryError(
                f"the attention weights of {type(self.running[-1]).__name__} over {k.shape[-2]} tokens bring all "
                f"weights to {wanted / 2**30:.1f} GiB, above memory_limit={self.memory_limit / 2**30:.1f} GiB; "
                f"explain fewer frames or a smaller picture, or raise the limit"
            )

    def _keep(self, weights: Tensor) -> Tensor:
        self.bytes += weights.numel() * weights.element_size()
        self.visits[self.running[-1]].weights.append(weights)
        return weights
