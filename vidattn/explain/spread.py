"""Where a step's output came from: its attention weights, put back on the full grid of tokens.

A step folds tokens (into frames, rows, windows), mixes them by attention weights and unfolds them. Its weights have to
take the very same way. So nothing is folded here: the step's own `forward` runs twice. The first time its weights are
recorded. The second time every token carries a number in place of features, all weights are the recorded ones, and
every linear layer hands its number on. What arrives is `W @ numbers`, with `W` the S x S matrix of the whole step, and
its gradient is `rows @ W`: no S x S matrix is made that the step itself does not need.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from vidattn.attention.base import VideoAttention
from vidattn.attention.image.linear import linear_attend
from vidattn.attention.per_frame import PerFrame
from vidattn.grid import Grid
from vidattn.models.recorder import SOFTMAX, Recording, Visit


class Replay(TorchFunctionMode):
    """While it is entered, attention has these weights, and what works on one token alone hands on its number.

    A linear layer gives the mean over the features, as each head has its own number. A convolution over tokens (the
    pooling of keys) gives each token the share that the kernel's absolute values give it.
    """

    def __init__(self, weights: Sequence[Tensor]) -> None:
        super().__init__()
        self.weights = iter(weights)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in SOFTMAX:
            return next(self.weights)
        if func in (F.scaled_dot_product_attention, linear_attend):
            return next(self.weights) @ args[2]
        if func is F.linear:
            return args[0].mean(-1, keepdim=True).repeat(*[1] * (args[0].ndim - 1), len(args[1]))
        if func is F.layer_norm:
            return args[0]
        if func is F.conv3d:
            return shares(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def shares(x: Tensor, weight: Tensor, bias: Tensor | None, *settings: Any) -> Tensor:
    """A convolution whose kernel is the mean of the absolute weights, and sums to one inside the clip."""
    kernel = weight.detach().to(x.dtype).abs().mean((0, 1), keepdim=True)
    numbers = F.conv3d(x.mean(1, keepdim=True), kernel, None, *settings[:3])
    inside = F.conv3d(torch.ones_like(x[:, :1]), kernel, None, *settings[:3])
    return (numbers / inside).repeat(1, len(weight), 1, 1, 1)


def replayed(step: VideoAttention, visit: Visit, numbers: Tensor) -> Tensor:
    """`W @ numbers`, `(B, S)` -> `(B, S)`, with the weights of `visit`; gradients give `rows @ W`."""
    tokens = numbers[..., None].repeat(1, 1, visit.args[0].shape[-1])
    with Replay([weights.to(tokens.dtype) for weights in visit.weights]):
        update = step(tokens, *visit.args[1:])
    return update.mean(-1)


def spread(step: VideoAttention, x: Tensor, grid: Grid) -> Tensor:
    """`(B, S, S)`: row i tells where the update of token i came from, mean over the heads.

    Rows sum to 1, or less where some heads or all give a token no update.

    For a look at one step, and for tests: it takes S runs of the step. Whole networks: `vidattn.explain.rollout`.

    Args:
        step: attention over a video's tokens.
        x: tokens `(B, S, D)`.
        grid: how they lie.
    """
    with torch.no_grad(), Recording([step], memory_limit=float("inf")) as recording:
        step(x, grid)
    visit = recording.visits[step]
    if not replays(step, visit):
        return measured(step, visit)
    with torch.no_grad():
        columns = [replayed(step, visit, one.expand(len(x), -1)) for one in torch.eye(x.shape[1]).to(x)]
    return torch.stack(columns, dim=-1)


def replays(step: VideoAttention, visit: Visit) -> bool:
    """Whether the replay tells the truth: tokens meet in recorded weights only.

    Of a class that does not say so (`VideoAttention.mixes_by_weights`) one token is nudged: exactly those outputs must
    move that the replay says.
    """
    if isinstance(step, PerFrame) or not visit.weights:
        return False
    if step.mixes_by_weights:
        return True
    x, *rest = visit.args
    nudged = x.clone()
    nudged[:, -1] += torch.randn_like(nudged[:, -1])
    moved = (step(nudged, *rest) - step(x, *rest)).abs().amax(-1)
    try:
        share = replayed(step, visit, torch.eye(x.shape[1])[-1].to(x).expand(len(x), -1))
    except (RuntimeError, StopIteration):
        return False
    return bool((share >= 0).all()) and torch.equal(share > 0, moved > 1e-6 * moved.max())


def measured(step: VideoAttention, visit: Visit) -> Tensor:
    """`(B, S, S)`: row i, how far each token moves output i when it is nudged, as shares that sum to 1; or zeros.

    For steps that mix by something else than attention weights, as most image blocks do. These are nudged in all
    frames at once, as no frame sees another.
    """
    x, grid = visit.args
    frames, first = (grid.frames, grid.prefix) if isinstance(step, PerFrame) else (1, 0)
    places = (x.shape[1] - first) // frames
    direction = torch.randn(x.shape[1:], generator=torch.Generator().manual_seed(0)).to(x)
    nudge = 0.01 * x.std((1, 2), keepdim=True) * direction
    before = step(x, grid)
    moved = x.new_zeros(len(x), frames, places, places)
    for place in range(places):
        nudged = x.clone()
        nudged[:, first + place :: places] += nudge[:, first + place :: places]
        moves = (step(nudged, grid) - before)[:, first:].norm(dim=-1)
        moved[..., place] = moves.unflatten(1, (frames, places))
    moved = moved * (moved > 1e-5 * moved.amax((1, 2, 3), keepdim=True))  # the rest is rounding
    rows = x.new_zeros(len(x), x.shape[1], x.shape[1])
    for frame, block in enumerate((moved / moved.sum(-1, keepdim=True).clamp(min=1e-30)).unbind(1)):
        part = slice(first + frame * places, first + (frame + 1) * places)
        rows[:, part, part] = block
    return rows
