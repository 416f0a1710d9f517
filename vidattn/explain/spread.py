"""Where a step's output came from: its attention weights, put back on the full grid of tokens.

A step folds tokens (into frames, rows, windows), mixes them by attention weights and unfolds them. Its weights have to
take the very same way. So nothing is folded here: the step's own `forward` runs twice. The first time its weights are
recorded. The second time every token carries a number in place of features, all weights are the recorded ones, and
every linear layer hands its number on. What arrives is `W @ numbers`, with `W` the S x S matrix of the whole step, and
its gradient is `rows @ W`: no S x S matrix is made that the step itself does not need.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from vidattn.attention.base import VideoAttention
from vidattn.attention.image.linear import linear_attend, linear_weights
from vidattn.attention.per_frame import PerFrame
from vidattn.attention.scheme import STEPS
from vidattn.grid import Grid

SOFTMAX = (F.softmax, torch.softmax, Tensor.softmax)
OURS = {cls for found in STEPS.values() for cls in (found if isinstance(found, tuple) else (found,))}


@dataclass
class Visit:
    """One run of a module: what it was given, and its attention weights in the order in which it made them."""

    args: tuple[Any, ...]
    weights: list[Tensor] = field(default_factory=list)


class Recording(TorchFunctionMode):
    """While it is entered, keeps the attention weights of `modules`: whatever softmax gives, fused kernels included.

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

    def _attention(
        self,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        attn_mask: Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
    ) -> Tensor:
        """What the fused kernel gives, with weights that can be kept; as in evaluation there is no dropout."""
        self._book(q, k)
        scores = q @ k.mT * (q.shape[-1] ** -0.5 if scale is None else scale)
        if is_causal:
            attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
        if attn_mask is not None and attn_mask.dtype == torch.bool:
            scores = scores.masked_fill(~attn_mask, float("-inf"))
        elif attn_mask is not None:
            scores = scores + attn_mask
        return self._keep(scores.softmax(-1)) @ v

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

    Our own steps are tested for it (tests/explain/test_spread.py). Of another class one token is nudged: exactly those
    outputs must move that the replay says.
    """
    if isinstance(step, PerFrame) or not visit.weights:
        return False
    if type(step) in OURS:
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
