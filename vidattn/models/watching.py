"""Attention weights while a network trains: reduced where they arise, block by block, and never kept as a whole."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from vidattn.grid import Grid
from vidattn.models.recorder import SOFTMAX

SIGMOID = (torch.sigmoid, F.sigmoid, Tensor.sigmoid)

Look = Callable[[nn.Module, Grid, Tensor, Tensor | None], Any]
"""Takes a step, its grid, weights `(..., m, n)` and which m of the n rows they are of (None: all); returns what is to
be kept of them."""


class Watching:
    """From its `with` on, `look` is called with the attention weights of steps as they arise; gradients flow.

    Blocks may be computed again in the backward pass (`gradient_checkpointing`) if it is left after that: what `look`
    then returns is dropped, but the same is computed, so that autograd finds what it kept. Fused attention keeps its
    kernel where some rows are enough. A compiled network shows nothing.

    Args:
        steps: attention steps; each is to run once in the forward pass.
        look: see `Look`.
        rows: how many rows of each map are looked at, evenly spread; all by default.
        turn: another number, say of the training step, takes other rows.
        sight: what is looked at: `SeesWeights`, or `SeesGates`.

    Attributes:
        found: what `look` returned of each step, in the order in which its weights arose.
    """

    def __init__(
        self,
        steps: Iterable[nn.Module],
        look: Look,
        rows: int | None = None,
        turn: int = 0,
        sight: "type[SeesWeights | SeesGates] | None" = None,
    ) -> None:
        self.steps = list(steps)
        self.look = look
        self.rows = rows
        self.turn = turn
        self.sight = sight or SeesWeights
        self.found: dict[nn.Module, list[Any]] = {}
        self.ran: set[nn.Module] = set()
        self.modes: list[TorchFunctionMode] = []

    def __enter__(self) -> "Watching":
        self.hooks = [step.register_forward_pre_hook(self._begin) for step in self.steps]
        # Also where a run ends early, as one does that is made again in the backward pass.
        self.hooks += [step.register_forward_hook(self._end, always_call=True) for step in self.steps]
        return self

    def __exit__(self, *error: Any) -> None:
        self.end()

    def end(self) -> None:
        """Leave, for those who entered without a `with`."""
        for hook in self.hooks:
            hook.remove()

    def _begin(self, step: nn.Module, args: tuple[Any, ...]) -> None:
        mode = self.sight(partial(self._seen, step, args[1]), self.rows, self.turn)
        mode.__enter__()  # here, as a backward pass may run in another thread, which has modes of its own
        self.modes.append(mode)

    def _end(self, step: nn.Module, *_: Any) -> None:
        self.modes.pop().__exit__(None, None, None)
        self.ran.add(step)

    def _seen(self, step: nn.Module, grid: Grid, weights: Tensor, rows: Tensor | None) -> None:
        kept = self.look(step, grid, weights, rows)
        if step not in self.ran:
            self.found.setdefault(step, []).append(kept)


class SeesWeights(TorchFunctionMode):
    """While it is entered, `seen` is called with the weights that attention has, and which of their rows these are.

    Args:
        seen: takes weights `(..., m, n)`, and the numbers of the m rows, `(m,)`, or None for all.
        rows: how many rows.
        turn: which.
    """

    def __init__(self, seen: Callable[[Tensor, Tensor | None], None], rows: int | None, turn: int) -> None:
        super().__init__()
        self.seen = seen
        self.rows = rows
        self.turn = turn

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in SOFTMAX:
            weights = func(*args, **kwargs)
            chosen = spread_rows(weights.shape[-2], self.rows, self.turn, weights.device)
            self.seen(weights if chosen is None else weights[..., chosen, :], chosen)
            return weights
        if func is F.scaled_dot_product_attention and not kwargs.get("enable_gqa"):
            return self._attention(*args, **kwargs)
        return func(*args, **kwargs)

    def _attention(self, q: Tensor, k: Tensor, v: Tensor, attn_mask: Tensor | None = None, **settings: Any) -> Tensor:
        """What the fused kernel gives; of all rows, by the weights that are shown. No dropout, no causal mask."""
        chosen = spread_rows(q.shape[-2], self.rows, self.turn, q.device)
        few = q if chosen is None else q[..., chosen, :]
        scores = few @ k.mT * (settings.get("scale") or q.shape[-1] ** -0.5)
        if attn_mask is not None:
            mask = attn_mask.expand(*attn_mask.shape[:-2], q.shape[-2], k.shape[-2])
            mask = mask if chosen is None else mask[..., chosen, :]
            scores = scores.masked_fill(~mask, float("-inf")) if mask.dtype == torch.bool else scores + mask
        weights = scores.softmax(-1)
        self.seen(weights, chosen)
        return weights @ v if chosen is None else F.scaled_dot_product_attention(q, k, v, attn_mask, **settings)


class SeesGates(TorchFunctionMode):
    """While it is entered, `seen` is called with the gates of image blocks such as squeeze-and-excitation and CBAM:
    what comes out of a sigmoid.

    Args:
        seen: takes gates of any shape, and None.
        rows: has no meaning here, nor has `turn`: gates are small.
        turn: see `rows`.
    """

    def __init__(self, seen: Callable[[Tensor, Tensor | None], None], rows: int | None = None, turn: int = 0) -> None:
        super().__init__()
        self.seen = seen

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if func in SIGMOID:
            self.seen(out, None)
        return out


def spread_rows(length: int, rows: int | None, turn: int, device: torch.device | None = None) -> Tensor | None:
    """Numbers of `rows` rows of `length`, evenly spread, others at each turn; None where that is all of them.

    >>> spread_rows(8, 3, 0), spread_rows(8, 3, 1), spread_rows(3, 3, 0)
    (tensor([0, 2, 5]), tensor([1, 3, 6]), None)
    """
    if rows is None or rows >= length:
        return None
    places = torch.arange(rows, device=device) * length // rows
    return (places + turn) % length
