"""Which weights of a trained block each step of a block with another scheme starts from."""

from typing import NamedTuple

from torch import nn

from vidattn.attention.base import Role
from vidattn.attention.per_frame import PerFrame


def kind(step: nn.Module) -> type[nn.Module]:
    """The class that a step's weights are of: of an image block its own, not `PerFrame`."""
    cls = type(step.block) if isinstance(step, PerFrame) else type(step)
    return getattr(cls, "weights_of", None) or cls


def role(step: nn.Module) -> Role:
    """What the step's weights mean to steps of other classes."""
    return step.role  # type: ignore[return-value]


def differ_by_output_layer(one: nn.Module, other: nn.Module) -> bool:
    """Whether the two steps are the same but for a linear layer `fc` behind the projection of one of them."""
    return kind(other) is getattr(one, "without_output_layer", None) or kind(one) is getattr(
        other, "without_output_layer", None
    )


class WeightSource(NamedTuple):
    """Where a step's weights come from.

    Args:
        source: index of the step of the trained block; None where the step starts fresh.
        same: it is a step of the same kind, so that all weights mean the same.
        silent: the step's output starts at zero.
    """

    source: int | None
    same: bool
    silent: bool


def weight_sources(trained: list[nn.Module], wanted: list[nn.Module]) -> list[WeightSource]:
    """For each wanted step of a block: which of the trained block's steps its weights come from.

    First, steps of the same kind, in order, then those that differ in one linear layer. Then main attentions take the
    weights of main attentions: joint those of space, windows those of joint. What is left takes a copy of the main
    attention where its weights mean the same (as TimeSformer's code starts time attention from an image model), and
    keeps silent at first where it can.
    """
    free = list(range(len(trained)))
    found: list[WeightSource | None] = [None] * len(wanted)
    for index, step in enumerate(wanted):
        same = next((one for one in free if kind(trained[one]) is kind(step)), None)
        if same is not None:
            free.remove(same)
            found[index] = WeightSource(same, True, False)
    for index, step in enumerate(wanted):
        if found[index] is None:
            alike = next((one for one in free if differ_by_output_layer(trained[one], step)), None)
            if alike is not None:
                free.remove(alike)
                found[index] = WeightSource(alike, False, False)
    for index, step in enumerate(wanted):
        if found[index] is None and is_main(step):
            main = next((one for one in free if is_main(trained[one])), None)
            if main is not None:
                free.remove(main)
                found[index] = WeightSource(main, False, False)
    any_main = next((one for one, step in enumerate(trained) if is_main(step)), None)
    for index, step in enumerate(wanted):
        if found[index] is None:
            copied = any_main if role(step).attention is not None else None
            found[index] = WeightSource(copied, False, bool(role(step).outputs))
    return [one for one in found if one is not None]


def is_main(step: nn.Module) -> bool:
    """Whether the step is a block's main attention, one that carries prefix tokens along."""
    return role(step).attention is not None and not role(step).optional
