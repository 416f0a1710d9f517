"""A teacher's maps of attention guide the student's: step by step where both have the same, elsewhere by rollouts."""

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from vidattn.attention.base import RowMaps, VideoAttention
from vidattn.attention.joint import JointAttention
from vidattn.attention.scheme import parse_scheme
from vidattn.attention.spatial import SpatialAttention
from vidattn.checks import check_above_zero, check_positive
from vidattn.grid import Grid
from vidattn.mistakes import Mistake
from vidattn.models.network import Network
from vidattn.models.watching import Watching
from vidattn.training.lessons import Comparison, Lesson, Pass
from vidattn.training.rollout_lesson import Rollouts, unfollowed
from vidattn.training.same_grid import divergence, maps_on_grid, places_alone
from vidattn.training.teacher import Teacher


@dataclass(frozen=True)
class TeachMaps(Lesson):
    """The teacher's attention: `KL(teacher || student)` of what each token takes of every other.

    Paying More Attention to Attention, https://arxiv.org/abs/1612.03928, with the divergence of transformers'
    distillation (MiniLM, https://arxiv.org/abs/2002.10957, section 3.1) in place of distances. Where a block of the
    student and the block at the same height of the teacher have the same step (`joint`, `space`, `time`, `temporal`,
    `width`, `height`), their weights are compared: the mean over the heads, whose numbers may differ, with the
    teacher's put on the student's grid. The sum over keys, the mean over rows, clips and steps. Where no step is
    common, the rollouts are compared (https://arxiv.org/abs/2005.00928): what share of the answer each place has. In
    maps prefix tokens count where both have as many; elsewhere the places alone are compared.

    Args:
        weight: factor on its loss.
        steps: names of steps as in a scheme, such as `[time]`; all that are common by default.
        blocks: indices of the student's blocks, from 0, or from the end with a minus; all by default.
        queries: so many rows of each map are compared, others at each training step; null for all, which for joint
            attention over n tokens keeps `heads x n x n` numbers of every clip and block. Not for rollouts, which need
            all.
        memory_limit: GiB that all weights of a rollout may take.

    Raises:
        ValueError: a number is out of range.
    """

    name = "maps"
    steps: tuple[str, ...] | None = None
    blocks: tuple[int, ...] | None = None
    queries: int | None = 64
    memory_limit: float = 8.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_above_zero(memory_limit=self.memory_limit)
        if self.queries is not None:
            check_positive(queries=self.queries)

    def build(self, student: Network, teacher: Teacher) -> Comparison:
        """
        Raises:
            ValueError: they have no step in common, and no rollout can be made.
        """
        ours, theirs = spots_of(student), spots_of(teacher.network)
        kinds = None if self.steps is None else {kind_of(cls) for cls in parse_scheme("+".join(self.steps)).classes}
        pairs = []
        for index in chosen_blocks(self.blocks, len(ours)):
            above = math.ceil((index + 1) * len(theirs) / len(ours)) - 1
            common = ours[index].keys() & theirs[above].keys()
            pairs += [
                Pair(ours[index][kind].step, above, kind)
                for kind in ours[index]
                if kind in common and (kinds is None or kind in kinds)
            ]
        if pairs:
            return StepMaps(pairs, teacher, self.queries)
        both = f"attention={student.config.title!r} and the teacher's attention={teacher.config.title!r}"
        if self.steps is not None or self.blocks is not None:
            raise Mistake(
                f"TeachMaps(steps={self.steps}, blocks={self.blocks}): {both} have no such step in common there; leave "
                "both out, to compare what is common, or rollouts where nothing is"
            )
        for network in (student, teacher.network):
            if strange := unfollowed(network):
                raise Mistake(
                    f"{both} have no step in common whose maps can be compared, and no rollout can be followed through "
                    f"{strange}; leave TeachMaps out of model.lessons, or take a teacher of the same scheme"
                )
        if student.config.gradient_checkpointing:
            raise Mistake(
                f"{both} have no step in common, so that rollouts are compared, and these need all maps at once: set "
                "model.network.gradient_checkpointing to false"
            )
        return Rollouts(student, teacher, self.memory_limit)


class Spot(NamedTuple):
    """A step in its place.

    Args:
        step: the attention step.
        framewise: whether it runs once for each frame.
    """

    step: VideoAttention
    framewise: bool


class Pair(NamedTuple):
    """A student's step, and where the teacher has the same.

    Args:
        step: the student's.
        block: index of the teacher's block.
        kind: the class of both; see `kind_of`.
    """

    step: VideoAttention
    block: int
    kind: type[nn.Module]


def spots_of(network: Network) -> list[dict[type[nn.Module], Spot]]:
    """For each block its steps whose maps lie in the clip, by their kind."""
    config, spots = network.config, []
    for stage in network.layout(config.num_frames, *config.size):
        in_the_clip = stage.runs * stage.grid.frames == config.native_grid.frames  # not tokens that are frames
        framewise = stage.runs > 1
        for block in stage.blocks:
            laid_out = [step for step in block.steps if type(step).row_maps is not VideoAttention.row_maps]  # type: ignore
            spots.append({kind_of(type(step), framewise): Spot(step, framewise) for step in laid_out if in_the_clip})
    return spots


def kind_of(cls: type[nn.Module], framewise: bool = False) -> type[nn.Module]:
    """The class that stands for all that look at the same: with and without a layer behind the projection, and all
    tokens of a frame alone for attention within frames."""
    cls = getattr(cls, "without_output_layer", None) or cls
    return SpatialAttention if framewise and cls is JointAttention else cls


def chosen_blocks(blocks: Sequence[int] | None, depth: int) -> list[int]:
    """The indices, from 0.

    Raises:
        ValueError: there is no such block.
    """
    if blocks is None:
        return list(range(depth))
    if wrong := [block for block in blocks if not -depth <= block < depth]:
        raise Mistake(
            f"blocks={list(blocks)}: the network has {depth} blocks, 0 to {depth - 1}; there is no {wrong[0]}"
        )
    return sorted({block % depth for block in blocks})


def laid_out(step: Any, grid: Grid, weights: Tensor, clips: int) -> RowMaps:
    """The step's maps in fp32, all frames of a clip in one row of the batch."""
    maps = step.row_maps(weights.float(), grid)
    runs = len(maps.weights) // clips
    if runs == 1:
        return maps
    return maps._replace(weights=maps.weights.unflatten(0, (clips, runs)).flatten(1, 2), folds=Grid(runs, 1, 1, 0))


class StepMaps(Comparison):
    """See `TeachMaps`; compared where they arise, so that no map is kept longer than autograd needs it.

    Args:
        pairs: which steps.
        teacher: whose other steps they are.
        queries: how many rows of each map; None for all.
    """

    def __init__(self, pairs: Sequence[Pair], teacher: Teacher, queries: int | None) -> None:
        super().__init__()
        self.pairs = list(pairs)
        self.teacher = teacher
        self.queries = queries
        self.theirs: dict[nn.Module, RowMaps] = {}  # by the student's step
        self.watching: Watching | None = None

    def teacher_runs(self, clips: Tensor, turn: int) -> AbstractContextManager:
        """Keep the teacher's maps."""
        self.release()
        spots = spots_of(self.teacher.network)
        students: dict[nn.Module, list[nn.Module]] = {}
        for pair in self.pairs:
            students.setdefault(spots[pair.block][pair.kind].step, []).append(pair.step)

        def take(step: nn.Module, grid: Grid, weights: Tensor, rows: Tensor | None) -> None:
            self.theirs |= dict.fromkeys(students[step], laid_out(step, grid, weights, len(clips)))

        return Watching(students, take)

    def student_runs(self, clips: Tensor, turn: int) -> AbstractContextManager:
        """Compare, also when blocks are computed again in the backward pass."""

        def compare(step: nn.Module, grid: Grid, weights: Tensor, rows: Tensor | None) -> Tensor:
            return distance(self.theirs[step], laid_out(step, grid, weights, len(clips)), rows)

        self.watching = Watching([pair.step for pair in self.pairs], compare, self.queries, turn)
        self.watching.__enter__()
        return nullcontext()

    def forward(self, student: Pass, teacher: Pass) -> Tensor:
        """The mean over the steps."""
        assert self.watching is not None
        return torch.stack([one for found in self.watching.found.values() for one in found]).mean()

    def release(self) -> None:
        """The maps."""
        if self.watching is not None:
            self.watching.end()
        self.watching, self.theirs = None, {}


def distance(theirs: RowMaps, ours: RowMaps, rows: Tensor | None) -> Tensor:
    """The divergence of maps.

    Args:
        theirs: the teacher's, whole.
        ours: the student's, on its own grid.
        rows: which rows of its maps these are; None for all.
    """
    rows = torch.arange(ours.row.num_tokens, device=ours.weights.device) if rows is None else rows
    if theirs.row.prefix != ours.row.prefix:
        inside = rows >= ours.row.prefix
        rows = rows[inside] - ours.row.prefix
        theirs = places_alone(theirs, theirs.weights[:, :, theirs.row.prefix :])
        ours = places_alone(ours, ours.weights[:, :, inside])
    return divergence(maps_on_grid(theirs, ours.folds, ours.row)[:, :, rows], ours.weights)
