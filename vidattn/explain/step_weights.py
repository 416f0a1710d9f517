"""What each step of each block of a network weighed, head by head, on the full grid of its tokens."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from vidattn.attention.base import VideoAttention
from vidattn.attention.per_frame import step_name
from vidattn.explain.spread import Replay, measured, replayed, replays
from vidattn.grid import Grid
from vidattn.mistakes import Mistake
from vidattn.models.network import Network
from vidattn.models.recorder import Recording, Visit


class StepWeights(NamedTuple):
    """One step of one block.

    Attributes:
        block: counted from 0 through all stages.
        step: its name, and a number behind it where a block has two of one name.
        grid: how its tokens lie.
        heads: `(H, S, S)`, row i tells where the update of token i came from; one head, the mean, where a step
            mixes by something else than attention weights and was nudged.
        nudged: whether it was.
    """

    block: int
    step: str
    grid: Grid
    heads: Tensor
    nudged: bool


def step_weights(network: Network, recording: Recording, sides: torch.Size, notes: list[str]) -> Iterator[StepWeights]:
    """The weights of all steps for one clip, one step at a time; `notes` tells of the steps that are left out.

    Args:
        network: see `vidattn.explain.rollout.explainable`.
        recording: of its run on one clip (`vidattn.explain.rollout.recorded`).
        sides: frames, rows and columns of that clip.
        notes: gets a sentence for each step that cannot be shown.
    """
    block = -1
    for stage in network.layout(*sides):
        for module in stage.blocks:
            block += 1
            names: list[str] = []
            for step in module.steps:  # type: ignore[union-attr]
                name = step_name(step)
                names.append(name)
                shown = name if names.count(name) == 1 else f"{name} {names.count(name)}"
                visit = recording.visits[step]
                grid = visit.args[1]
                if len(visit.args[0]) != 1 or visit.args[0].shape[1] != grid.num_tokens:
                    notes.append(f"block {block}: {shown} sees parts of the clip one by one; not shown")
                    continue
                with torch.no_grad():
                    heads, nudged = _heads(step, visit)
                if heads.shape[1:] == (grid.num_tokens, grid.num_tokens):
                    yield StepWeights(block, shown, grid, heads, nudged)
                else:
                    notes.append(f"block {block}: {shown} hands on fewer tokens than it is given; not shown")


def _heads(step: VideoAttention, visit: Visit) -> tuple[Tensor, bool]:
    """`(H, S, S)`, or `(1, S, S)` of a step whose heads cannot be told apart; and whether it was nudged."""
    if not replays(step, visit):
        return measured(step, visit).float(), True
    try:
        heads = of_each_head(step, visit)
    except (RuntimeError, StopIteration, ValueError):
        heads = None
    tokens = visit.args[0].shape[1]
    trial = torch.rand(1, tokens, generator=torch.Generator().manual_seed(0)).to(visit.args[0])
    wanted = replayed(step, visit, trial)[0].float()
    if heads is not None and torch.allclose(heads.mean(0) @ trial[0].float(), wanted, atol=1e-4):
        return heads, False
    columns = [replayed(step, visit, one[None])[0].float() for one in torch.eye(tokens).to(trial)]
    return torch.stack(columns, -1)[None], False


class HeadReplay(Replay):
    """A replay in which every feature carries a number of its own: linear layers hand all of them on as they are.

    So each head, which has a slice of the features for itself, is given as many columns as the slice is wide.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is F.linear:
            copies, rest = divmod(len(args[1]), args[0].shape[-1])
            if rest:
                raise Mistake("a linear layer to a width that is no multiple")
            return args[0].repeat(*[1] * (args[0].ndim - 1), copies)
        if func is F.conv3d:
            raise Mistake("a convolution mixes the slices of heads")
        return super().__torch_function__(func, types, args, kwargs)


def of_each_head(step: VideoAttention, visit: Visit) -> Tensor:
    """`(H, S, S)`, from the recorded weights of a step; it runs `S * H / D` times.

    Raises:
        ValueError: its weights are of several numbers of heads, or it has other layers than plain attention has.
        RuntimeError: likewise.
    """
    x, counts = visit.args[0], {weights.shape[-3] for weights in visit.weights if weights.ndim > 2}
    if len(counts) != 1 or x.shape[-1] % (heads := counts.pop()):
        raise Mistake("no one number of heads")
    tokens, width = x.shape[1], x.shape[-1] // heads
    weights = [one.to(x.dtype) for one in visit.weights]
    result = torch.zeros(heads, tokens, tokens)
    for first in range(0, tokens, width):
        columns = torch.eye(tokens, dtype=x.dtype, device=x.device)[:, first : first + width]
        count = columns.shape[1]
        numbers = F.pad(columns, (0, width - count)).repeat(1, heads)[None]
        with HeadReplay(weights):
            update = step(numbers, *visit.args[1:])
        result[:, :, first : first + count] = update[0].unflatten(-1, (heads, width)).movedim(1, 0)[..., :count].float()
    return result
