"""Sliding windows: a window of `k x k` keys for each pixel, `k^2` products a pixel, and no copy of any window.

Maps are laid out with rows first, `(H, maps, W, d)`, and the keys with a margin around each map. Then, for one column
of the window, the keys of all pixels are one strided view: a step to the next pixel is `d` numbers, a step down the
window is one row of all maps. So scores are `k` batched products, and exactly those of the formula. What a pixel sees
at the border is what the margin holds: nothing (it is masked), or the keys by which the window moves inward.

Measured on CPU, one thread, k = 7, a head of 64 on 56 x 56, forward and training step: 4.4 and 15.8 ms, 11 and 12 MiB;
`F.unfold` 89 and 365 ms, 40 and 115 MiB; tiles of 7 x 7 queries that share 13 x 13 keys and mask what is not theirs
(3.4 times the products) 5.0 and 17.4 ms, 11 and 14 MiB. Where `k d < 400`, as with heads of 32, tiles would be 2 to 3
times as fast: PyTorch's batched product of so small matrices is a plain loop.
"""

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

Map = tuple[int, int, int, int]  # rows, maps, columns, channels


class Axis(NamedTuple):
    """The windows of all positions of one axis: position x sees `line[x + j * dilation]` for j from 0 to k - 1.

    Attributes:
        line: `(n + (k - 1) * dilation,)`, positions of keys: the axis with a margin on both sides.
        dilation: distance between the keys of a window.
        seen: `(n, k)`, False where a window reaches past what there is.
        all_seen: whether `seen` holds no False.
        offset: `(n, k)`, steps from the query to each key, in dilations.
    """

    line: Tensor
    dilation: int
    seen: Tensor
    all_seen: bool
    offset: Tensor


def centred(length: int, kernel: int, device: torch.device | None = None) -> Axis:
    """Windows around their query, cut off at the border.

    >>> axis = centred(4, kernel=3)
    >>> [axis.line.unfold(0, 3, 1)[x][axis.seen[x]].tolist() for x in range(4)]
    [[0, 1], [0, 1, 2], [1, 2, 3], [2, 3]]
    """
    line = torch.arange(-(kernel // 2), length + kernel // 2, device=device)
    return _axis(line, length, kernel, 1, kernel == 1)


def inward(length: int, kernel: int, dilation: int = 1, device: torch.device | None = None) -> Axis:
    """Windows that move inward at the border, so that they keep `kernel` keys (or all there are, if there are fewer).

    The keys of a window may come in any order. So past the border the line goes on with the key `kernel` steps
    further in: what leaves the window on one side enters on the other.

    >>> inward(6, kernel=5).line.unfold(0, 5, 1).tolist()[:3]
    [[3, 4, 0, 1, 2], [4, 0, 1, 2, 3], [0, 1, 2, 3, 4]]
    """
    margin, step = kernel // 2 * dilation, kernel * dilation
    line = torch.arange(-margin, length + margin, device=device)
    line = torch.where(line < 0, line + step, torch.where(line >= length, line - step, line))
    return _axis(line, length, kernel, dilation, kernel == 1 or length // dilation >= kernel)


def _axis(line: Tensor, length: int, kernel: int, dilation: int, all_seen: bool) -> Axis:
    keys = line.unfold(0, (kernel - 1) * dilation + 1, 1)[:, ::dilation]  # (n, k)
    query = torch.arange(length, device=line.device)[:, None]
    offset = (keys - query).div(dilation, rounding_mode="floor")
    return Axis(line.clamp(0, length - 1), dilation, (keys >= 0) & (keys < length), all_seen, offset)


def local_attention(
    q: Tensor, k: Tensor, v: Tensor, rows: Axis, columns: Axis, bias: Tensor | None = None, scale: float | None = None
) -> Tensor:
    """Each pixel attends to its window: `softmax(scale q k^T + bias) v`, all `(B, heads, H, W, d)`.

    Args:
        q: queries.
        k: keys.
        v: values.
        rows: windows along H.
        columns: windows along W, of the same number of keys.
        bias: added to the scores, `(1 or B, heads, H, W, k, k)`, rows of the window first.
        scale: `1 / sqrt(d)` by default.
    """
    shape = q.shape
    steps = rows.dilation, columns.dilation, rows.seen.shape[1]
    lined = _line_up(q * (shape[-1] ** -0.5 if scale is None else scale))
    keys, values = (
        _line_up(x).index_select(0, rows.line).index_select(2, columns.line).to(lined.dtype) for x in (k, v)
    )
    scores = PixelWindowScores.apply(lined, keys, *steps).unflatten(0, lined.shape[:3])  # (H, B * heads, W, k, k)
    if bias is not None:
        bias = bias.expand(shape[0], -1, -1, -1, -1, -1).to(scores.dtype)
        scores = scores + _line_up(bias.transpose(-2, -1))  # here the columns of the window come first
    if not (rows.all_seen and columns.all_seen):
        seen = rows.seen[:, None, None, None, :] & columns.seen[None, None, :, :, None]
        scores = scores.masked_fill(~seen, -torch.inf)
    weights = scores.flatten(3).softmax(dim=-1).to(values.dtype).view(-1, *scores.shape[3:])
    mixed = PixelWindowSums.apply(weights, values, lined.shape, *steps)
    return mixed.unflatten(1, shape[:2]).permute(1, 2, 0, 3, 4)


def _line_up(x: Tensor) -> Tensor:
    """`(B, heads, H, W, ...)` -> `(H, B * heads, W, ...)`."""
    return x.movedim(2, 0).flatten(1, 2)


def _runs(keys: Tensor, height: int, width: int, down: int, right: int, kernel: int) -> list[Tensor]:
    """For each column of a window, left to right, the keys of all pixels in it: views `(pixels, d, k)`."""
    maps, channels = keys.shape[1], keys.shape[3]
    row = maps * width * channels
    shifted = (keys[:, :, j * right : j * right + width].contiguous() for j in range(kernel))
    return [x.as_strided((height * maps * width, channels, kernel), (channels, 1, down * row)) for x in shifted]


# The three products of queries, keys and weights over all windows. Each is linear in both of its operands, and the
# gradients of one are the other two; automatic ones would build the gradient of each window.


class PixelWindowScores(torch.autograd.Function):
    """Queries `(H, m, W, d)` times the keys of their windows, of maps with margins -> `(pixels, k, k)`."""

    @staticmethod
    def forward(q: Tensor, keys: Tensor, down: int, right: int, kernel: int) -> Tensor:  # noqa: D102
        runs = _runs(keys, q.shape[0], q.shape[2], down, right, kernel)
        q_rows = q.contiguous().flatten(0, 2).unsqueeze(1)
        return torch.cat([q_rows @ run for run in runs], dim=1).to(q.dtype)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, int, int, int], output: Tensor) -> None:  # noqa: D102
        q, keys, *ctx.steps = inputs
        ctx.save_for_backward(q, keys)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # noqa: D102
        q, keys = ctx.saved_tensors
        grad_q = PixelWindowSums.apply(grad, keys, q.shape, *ctx.steps)
        return grad_q, PixelWindowGifts.apply(grad, q, keys.shape, *ctx.steps), None, None, None


class PixelWindowSums(torch.autograd.Function):
    """Weights `(pixels, k, k)` times the values of the windows, of maps with margins -> `(H, m, W, d)`."""

    @staticmethod
    def forward(weights: Tensor, values: Tensor, shape: Map, down: int, right: int, kernel: int) -> Tensor:  # noqa: D102
        runs = _runs(values, shape[0], shape[2], down, right, kernel)
        columns = weights.contiguous().split(1, dim=1)
        total = columns[0] @ runs[0].mT
        for column, run in zip(columns[1:], runs[1:], strict=True):
            total += column @ run.mT
        return total.view(shape).to(values.dtype)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, Map, int, int, int], output: Tensor) -> None:  # noqa: D102
        weights, values, _, *ctx.steps = inputs
        ctx.save_for_backward(weights, values)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # noqa: D102
        weights, values = ctx.saved_tensors
        grad_values = PixelWindowGifts.apply(weights, grad, values.shape, *ctx.steps)
        return PixelWindowScores.apply(grad, values, *ctx.steps), grad_values, None, None, None, None


class PixelWindowGifts(torch.autograd.Function):
    """What each key receives from the pixels in whose windows it lies: weights, `(H, m, W, d)` -> maps with margins."""

    @staticmethod
    def forward(weights: Tensor, q: Tensor, shape: Map, down: int, right: int, kernel: int) -> Tensor:  # noqa: D102
        (height, maps, width, channels), slots = q.shape, shape[0]
        pixels, margin = maps * width, (kernel - 1) * down
        # Seen from a key, the queries are again a run down the map, the lowest key of a window meeting its query first.
        givers = F.pad(q.reshape(height, pixels, channels), (0, 0, 0, 0, margin, margin)).contiguous()
        givers = givers.as_strided((slots * pixels, kernel, channels), (channels, down * pixels * channels, 1))
        given = weights.reshape(height, pixels, kernel, kernel).flip(3).permute(2, 0, 1, 3)
        steps = (kernel, kernel, down * pixels * kernel + 1)
        received = q.new_zeros(shape)
        for j, column in enumerate(given):
            shares = F.pad(column, (0, 0, 0, 0, margin, margin)).contiguous()
            shares = shares.as_strided((slots * pixels, 1, kernel), steps).contiguous()
            received[:, :, j * right : j * right + width] += (shares @ givers).view(slots, maps, width, channels)
        return received

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, Map, int, int, int], output: Tensor) -> None:  # noqa: D102
        weights, q, _, *ctx.steps = inputs
        ctx.save_for_backward(weights, q)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # noqa: D102
        weights, q = ctx.saved_tensors
        grad_q = PixelWindowSums.apply(weights, grad, q.shape, *ctx.steps)
        return PixelWindowScores.apply(q, grad, *ctx.steps), grad_q, None, None, None, None
