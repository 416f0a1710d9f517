"""Attention rollout: how much each patch of each frame has to do with the answer, through all steps of all blocks."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor, nn

from vidattn.attention.base import VideoAttention
from vidattn.attention.per_frame import PerFrame, step_name
from vidattn.explain.passages import through_opening, through_passage
from vidattn.explain.spread import measured, replayed, replays
from vidattn.mistakes import Mistake
from vidattn.models.attention_opening import AttentionOpening
from vidattn.models.convolution_block import ConvolutionOpening
from vidattn.models.hidden_mean import HiddenMean
from vidattn.models.network import Network, Stage
from vidattn.models.opening_block import OpeningBlock
from vidattn.models.readout import MeanOfNormed, MeanPooling, ReadOut
from vidattn.models.recorder import Recording, Visit

MEMORY_LIMIT = 8 * 2**30  # bytes that all recorded weights may take
MAX_NUDGES = 1024  # a strange step over more tokens is left out: each nudge is a run


MEANS = (MeanPooling, MeanOfNormed, HiddenMean)


@dataclass(frozen=True)
class Rollout:
    """Shares of the answer.

    Attributes:
        video: `(B, T, H, W)`, share of each token of the grid; with `prefix` they sum to 1.
        prefix: `(B,)`, share of the prefix tokens, which belong to no place.
        logits: `(B, K)`, the answers.
        notes: steps that could not be followed by their weights, and what was done about it.
    """

    video: Tensor
    prefix: Tensor
    logits: Tensor
    notes: tuple[str, ...]


def rollout(network: nn.Module, video: Tensor, memory_limit: float = MEMORY_LIMIT) -> Rollout:
    """Where the read-out's vector comes from: products of `(I + W) / 2` over all steps, W a step's mean over heads.

    Attention rollout: https://arxiv.org/abs/2005.00928, section 3. Each step of a block has a residual of its own, so
    each is one factor; a token that a step gives no update keeps what it has. Tokens that become one at the border of
    two stages share alike what that one has. MLPs are left out, as in the
    paper, and so is a conditional position encoding, which mixes neighbours only.

    Args:
        network: one whose stages end in a read-out; it is run in evaluation mode.
        video: normalised clips `(B, 3, T, H, W)`.
        memory_limit: bytes that all attention weights together may take.

    Raises:
        TypeError: the network is of another kind.
        MemoryError: the attention weights would take more than `memory_limit`.
    """
    network = explainable(network)
    with torch.no_grad():
        recording, logits = recorded(network, video, memory_limit)
    return Walk(recording.visits, normalised=True).back(network, video, logits)


def gradient_rollout(
    network: nn.Module,
    video: Tensor,
    class_index: int | Sequence[int] | None = None,
    memory_limit: float = MEMORY_LIMIT,
) -> Rollout:
    """What speaks for one class: products of `I + W`, W the mean over heads of the positive part of gradient x weight.

    https://arxiv.org/abs/2103.15679, equations 5 and 6, less the I that the product starts from (equation 8): what no
    attention brought would hide the rest where all tokens are read out. Mean pooling counts as attention with equal
    weights. Steps without attention weights have no such gradient; they pass on what comes as in `rollout`.

    Args:
        network: as in `rollout`.
        video: likewise.
        class_index: the class, or one for each clip; the answer itself by default.
        memory_limit: likewise; activations for the gradients come on top.

    Raises:
        ValueError: the network has no such class.
        TypeError: the network is of another kind.
        MemoryError: the attention weights would take more than `memory_limit`.
    """
    network = explainable(network)
    with torch.enable_grad():
        recording, logits = recorded(network, video, memory_limit)
        classes = logits.argmax(1) if class_index is None else torch.as_tensor(class_index, device=logits.device)
        if not ((classes >= 0) & (classes < logits.shape[1])).all():
            raise Mistake(f"class_index={class_index}: the network has {logits.shape[1]} classes, counted from 0")
        score = logits.gather(1, classes.expand(len(logits))[:, None]).sum()
        pooled = [visit for module, visit in recording.visits.items() if isinstance(module, MEANS)]
        weights = [weight for visit in recording.visits.values() for weight in visit.weights]
        factors = [*weights, *(visit.args[0] for visit in pooled)]
        gradients = torch.autograd.grad(score, factors, allow_unused=True)
    products = iter(
        torch.zeros_like(factor) if gradient is None else (factor * gradient).detach()
        for factor, gradient in zip(factors, gradients, strict=True)
    )
    for visit in recording.visits.values():
        visit.weights = [next(products).clamp(min=0) for _ in visit.weights]
    for visit in pooled:  # a mean is attention with equal weights; this is their product with their gradient
        visit.weights = [next(products).sum(-1).clamp(min=0)[:, None, None]]
    for visit in recording.visits.values():
        visit.args = tuple(arg.detach() if isinstance(arg, Tensor) else arg for arg in visit.args)
    return Walk(recording.visits, normalised=False).back(network, video, logits.detach())


def explainable(network: nn.Module) -> Network:
    """The network itself.

    Raises:
        TypeError: it is another module, which does not say in which stages its tokens run.
    """
    if not isinstance(network, Network):
        raise TypeError(f"{type(network).__name__} cannot be explained; wanted a network of vidattn.build_network")
    return network


def recorded(network: Network, video: Tensor, memory_limit: float) -> tuple[Recording, Tensor]:
    """Run `network` on `video` in evaluation mode; its attention weights, and the logits."""
    modules = followed(network, *video.shape[2:])
    training = network.training
    try:
        with Recording(modules, memory_limit) as recording:
            logits = network.eval().forward(video)  # not the compiled call: nothing in it could be recorded
    finally:
        network.train(training)
    return recording, logits


def followed(network: Network, frames: int, height: int, width: int) -> list[nn.Module]:
    """The steps and read-outs that a clip goes through, whose weights a rollout is made of.

    Raises:
        TypeError: a stage hands its tokens on to other tokens.
    """
    modules: list[nn.Module] = []
    stages = network.layout(frames, height, width)
    for index, stage in enumerate(stages):
        if any(isinstance(block, ConvolutionOpening | AttentionOpening) for block in stage.blocks):
            raise TypeError(
                f"{type(network).__name__} cannot be explained: stage {index} halves the map by means and convolutions "
                "beside its attention, which no attention weights tell of; Swin, MViTv2, Hiera and PVT can"
            )
        modules += [step for block in stage.blocks for step in block.steps]  # type: ignore[union-attr]
        if stage.readout is not None:
            modules.append(stage.readout)
        elif not stage.folding and (index + 1 == len(stages) or stages[index + 1].passage is None):
            raise TypeError(
                f"{type(network).__name__} cannot be explained: stage {index} hands its tokens on to other tokens, "
                "and no attention weights tell which become which; a network whose stages end in a read-out, hand on "
                "all tokens of a clip, or say through what they pass can (vidattn.models.network.Stage)"
            )
    return modules if network.readout in modules else [*modules, network.readout]


class Walk:
    """From the answer back to the tokens: `rows @ W` for each step, last first.

    Args:
        visits: what each step and read-out was given, and its weights.
        normalised: each step is `(I + W)` over its row sums. Else it is `I + W`, and in the end what came through the
            residuals alone is taken away.
    """

    def __init__(self, visits: dict[nn.Module, Visit], normalised: bool) -> None:
        self.visits = visits
        self.normalised = normalised
        self.notes: list[str] = []

    def back(self, network: Network, clip: Tensor, logits: Tensor) -> Rollout:
        """The tokens' shares of the answer that `network` gave to `clip`."""
        stages = network.layout(*clip.shape[2:])
        if all(stage.folding for stage in stages):
            return self.back_to_places(network, stages, clip, logits)
        scale, prefix = None, logits.new_zeros(len(logits))
        for index in reversed(range(len(stages))):
            stage = stages[index]
            if stage.readout is not None:
                rows = self.read(stage.readout)
                rows = own = rows if scale is None else rows * scale[:, None]
            rows, own = self.through_blocks(stage, rows, own)
            if stage.passage is not None:
                before = stages[index - 1].grids()[-1]
                rows, own = (through_passage(stage.passage, part, before) for part in (rows, own))
                continue
            rows = rows if self.normalised else rows - own
            first, video = stage.grid.split(rows[..., None])
            prefix = prefix + first.sum((1, 2)).unflatten(0, (len(logits), -1)).sum(1)
            video = video[..., 0]
            scale = video.flatten()
        video = video.reshape(len(logits), -1, *video.shape[2:])
        total = (prefix + video.sum((1, 2, 3))).clamp(min=1e-30)
        return Rollout(video / total[:, None, None, None], prefix / total, logits, tuple(self.notes))

    def back_to_places(self, network: Network, stages: list[Stage], clip: Tensor, logits: Tensor) -> Rollout:
        """`back` of a network whose stages hand all tokens of a clip on, each in runs of its own."""
        grid = network.config.grid(*clip.shape[2:])
        rows = own = self.read(network.readout)
        for stage in reversed(stages):
            unfolding = " -> ".join(reversed(stage.folding.split(" -> ")))
            sides = {"t": grid.frames, "n": grid.locations}
            folded = (rearrange(part, stage.folding, **sides) for part in (rows, own))
            rows, own = (rearrange(part, unfolding, **sides) for part in self.through_blocks(stage, *folded))
        rows = rows if self.normalised else rows - own
        video = rows.view(len(rows), *grid.sides())
        total = video.sum((1, 2, 3), keepdim=True).clamp(min=1e-30)
        return Rollout(video / total, logits.new_zeros(len(logits)), logits, tuple(self.notes))

    def through_blocks(self, stage: Stage, rows: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:
        """`rows` behind the last block of a stage as they are before its first, and `own`, what came through residuals
        alone."""
        steps = [(index, block, step) for index, block in enumerate(stage.blocks) for step in block.steps]  # type: ignore
        for index, block, step in reversed(steps):
            if isinstance(block, OpeningBlock):
                rows, own = through_opening(block, self.visits[step], rows, own, self.normalised)
                continue
            with torch.no_grad():
                replay = replays(step, self.visits[step])
            if replay:
                rows = self.through(step, rows)
            elif (factor := self.nudged(step, f"block {index}", rows)) is not None:
                rows, own = ((part[:, None] @ factor)[:, 0] for part in (rows, own))
        return rows, own

    def read(self, readout: nn.Module) -> Tensor:
        """`(B, S)`, what the read-out takes of each token: its attention weights, or its gradient.

        Of a read-out with several, the last are a single query's, and those before are of blocks of its own.
        """
        visit = self.visits[readout]
        if visit.weights:
            *before, last = (weights.float().mean(1) for weights in visit.weights)
            rows = last.squeeze(1)
            for mixed in reversed(before):
                if self.normalised:
                    rows = rows / (1 + mixed.sum(-1))
                rows = rows + (rows[:, None] @ mixed)[:, 0]
            return rows
        numbers = torch.zeros_like(visit.args[0][..., :1], dtype=torch.float32, requires_grad=True)
        with torch.enable_grad():
            pooled = readout.pooled if isinstance(readout, ReadOut) else readout
            (rows,) = torch.autograd.grad(pooled(numbers).sum(), numbers)
        return rows[..., 0]

    def through(self, step: VideoAttention, rows: Tensor) -> Tensor:
        """`rows @ (I + W)`, `(B, S)` -> `(B, S)`; normalised if so wished."""
        numbers = torch.ones_like(rows, requires_grad=True)
        with torch.enable_grad():
            passed = replayed(step, self.visits[step], numbers)
        if self.normalised:
            rows = rows / (1 + passed.detach())
        learns = any(weights.requires_grad for weights in self.visits[step].weights)  # from a loss on the shares
        return rows + torch.autograd.grad(passed, numbers, rows, create_graph=learns)[0]

    @torch.no_grad()
    def nudged(self, step: VideoAttention, name: str, rows: Tensor) -> Tensor | None:
        """`(I + W)`, normalised, of a step that has no weights; None where it would take too long."""
        if not isinstance(step, PerFrame) and rows.shape[1] > MAX_NUDGES:
            self.notes.append(f"{name}: {step_name(step)} mixes by no attention weights; left out of the map")
            return None
        self.notes.append(f"{name}: {step_name(step)} mixes by no attention weights; measured by nudging tokens")
        factor = torch.eye(rows.shape[1]).to(rows) + measured(step, self.visits[step]).float()
        return factor / factor.sum(-1, keepdim=True)
