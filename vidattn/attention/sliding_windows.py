"""Sliding windows over a clip: t x h x w keys for each token, exactly as many products, and no copy of any window.

Laid out as `(T, W, H, maps, d)`, a column of a window, h keys, is a strided run; one copy of each frame brings these
runs in line. Then a frame of keys meets the frames of queries that see it: for each of the w columns of their windows
one batched product, of up to t queries with h keys. Gradients are products of the same three kinds.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

Window = tuple[int, int, int]  # frames t, rows h, columns w


def neighborhood_attention(q: Tensor, k: Tensor, v: Tensor, window: Window) -> Tensor:
    """Each query attends to the `window` of tokens nearest to it; all `(B, T, H, W, heads, d)`.

    At a border the window moves inward. No side of it exceeds the clip.
    """
    clip = q.shape
    q = in_columns(q * clip[-1] ** -0.5).flatten(1, 3)
    k, v = (in_columns(with_margins(x, window)) for x in (k, v))
    weights = WindowScores.apply(q, k, window).flatten(2).softmax(dim=-1).to(v.dtype)
    mixed = WindowSums.apply(weights.unflatten(2, (window[0], window[2], window[1])), v)
    batch, frames, height, width, heads, head_dim = clip
    return mixed.view(frames, width, height, batch, heads, head_dim).permute(3, 0, 2, 1, 4, 5)


def in_columns(x: Tensor) -> Tensor:
    """`(B, T, H, W, heads, d)` -> `(T, W, H, B * heads, d)`."""
    return x.permute(1, 3, 2, 0, 4, 5).flatten(3, 4)


def with_margins(x: Tensor, window: Window) -> Tensor:
    """`(B, T, H, W, ...)` -> `(B, T + t - 1, H + h - 1, W + w - 1, ...)`, so that every window is a slice."""
    for axis, side in enumerate(window, start=1):
        x = x.index_select(axis, nearest_positions(x.shape[axis], side, x.device))
    return x


def nearest_positions(length: int, side: int, device: torch.device | None = None) -> Tensor:
    """Positions of an axis, in a line whose `side` entries from the i-th on are those nearest to position i.

    At a border the window moves inward: what it loses on one side it gains on the other. So the line goes on with
    positions that are `side` further in. Their order within a window changes, but attention knows no order.

    >>> nearest_positions(6, side=3)
    tensor([2, 0, 1, 2, 3, 4, 5, 3])
    """
    line = torch.arange(length + side - 1, device=device) - side // 2
    return line + side * ((line < 0).long() - (line >= length).long())


class WindowScores(torch.autograd.Function):
    """Queries `(T, n, d)` times the keys of their windows, `(T', W', H', maps, d)` -> `(T, n, t, w, h)`."""

    @staticmethod
    def forward(q: Tensor, keys: Tensor, window: Window) -> Tensor:  # noqa: D102
        t, h, w = window
        scores = keys.new_empty(*q.shape[:2], t, w, h)
        for frame, seers in _meetings(len(q), t):
            queries = q[seers.start : seers.stop].transpose(0, 1)
            products = torch.stack([queries @ column.mT for column in _columns(keys[frame], h, w)], dim=2)
            for seer, score in zip(seers, products.unbind(1), strict=True):
                scores[seer, :, frame - seer] = score
        return scores

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, Window], output: Tensor) -> None:  # noqa: D102
        ctx.save_for_backward(*inputs[:2])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # noqa: D102
        q, keys = ctx.saved_tensors
        return WindowSums.apply(grad, keys), WindowGifts.apply(grad, q, keys.shape), None


class WindowSums(torch.autograd.Function):
    """Weights `(T, n, t, w, h)` times the values of the windows, `(T', W', H', maps, d)` -> `(T, n, d)`."""

    @staticmethod
    def forward(weights: Tensor, values: Tensor) -> Tensor:  # noqa: D102
        t, w, h = weights.shape[2:]
        sums = values.new_zeros(*weights.shape[:2], values.shape[-1])
        for frame, seers in _meetings(len(weights), t):
            shares = torch.stack([weights[seer, :, frame - seer] for seer in seers], dim=2)  # (n, w, seers, h)
            columns = _columns(values[frame], h, w)
            total = sum(share @ column for share, column in zip(shares.unbind(1), columns, strict=True))
            sums[seers.start : seers.stop] += total.transpose(0, 1)  # type: ignore[union-attr]
        return sums

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:  # noqa: D102
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:  # noqa: D102
        weights, values = ctx.saved_tensors
        t, w, h = weights.shape[2:]
        return WindowScores.apply(grad, values, (t, h, w)), WindowGifts.apply(weights, grad, values.shape)


class WindowGifts(torch.autograd.Function):
    """What each key gets from the queries that see it: weights `(T, n, t, w, h)` times queries -> as the keys."""

    @staticmethod
    def forward(weights: Tensor, q: Tensor, shape: torch.Size) -> Tensor:  # noqa: D102
        (t, w, h), height = weights.shape[2:], shape[2] - weights.shape[4] + 1
        gifts = q.new_zeros(shape)
        for frame, seers in _meetings(len(q), t):
            shares = torch.stack([weights[seer, :, frame - seer] for seer in seers], dim=3)  # (n, w, h, seers)
            queries = q[seers.start : seers.stop].transpose(0, 1)
            columns = q.new_zeros(shape[1], height * shape[3], h, shape[4])
            for x, share in enumerate(shares.unbind(1)):
                columns[x : x + shape[1] - w + 1] += (share @ queries).unflatten(0, (-1, columns.shape[1]))
            for row, keys in enumerate(columns.unflatten(1, (height, -1)).unbind(3)):
                gifts[frame, :, row : row + height] += keys
        return gifts

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, torch.Size], output: Tensor) -> None:  # noqa: D102
        ctx.save_for_backward(*inputs[:2])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # noqa: D102
        weights, q = ctx.saved_tensors
        t, w, h = weights.shape[2:]
        return WindowScores.apply(q, grad, (t, h, w)), WindowSums.apply(weights, grad), None


def _meetings(frames: int, t: int) -> Iterator[tuple[int, range]]:
    """Each frame of keys, with margins, and the frames of queries whose windows hold it.

    >>> list(_meetings(2, t=3))
    [(0, range(0, 1)), (1, range(0, 2)), (2, range(0, 2)), (3, range(1, 2))]
    """
    for frame in range(frames + t - 1):
        yield frame, range(max(0, frame - t + 1), min(frames, frame + 1))


def _columns(keys: Tensor, h: int, w: int) -> list[Tensor]:
    """One frame of keys `(W', H', maps, d)` -> for each column of a window, its keys for each query, `(n, h, d)`."""
    runs = keys.unfold(1, h, 1).transpose(-2, -1).flatten(1, 2).contiguous()  # (W', H * maps, h, d)
    width = len(keys) - w + 1
    return [runs[x : x + width].flatten(0, 1) for x in range(w)]
