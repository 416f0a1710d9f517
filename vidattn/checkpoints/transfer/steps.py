"""Which step's weights serve which other step: what a block of another scheme takes from a trained one."""

from dataclasses import replace
from typing import NamedTuple

from torch import nn

from vidattn.attention.axial import HeightAttention, WidthAttention
from vidattn.attention.factorised import PlainTemporalAttention, SplitHeadsAttention
from vidattn.attention.image.acmix import ACmix
from vidattn.attention.image.axial import AxialAttention
from vidattn.attention.image.cross_window import CrossShapedWindowAttention
from vidattn.attention.image.deformable import DeformableAttention
from vidattn.attention.image.graph import GraphAttention
from vidattn.attention.image.large_kernel import LargeKernelAttention, MultiScaleLargeKernelAttention
from vidattn.attention.image.linear import LinearAttention
from vidattn.attention.image.neighborhood import NeighborhoodAttention
from vidattn.attention.image.non_local import NonLocal, PooledNonLocal
from vidattn.attention.image.position_encoding import PositionalEncodingGenerator
from vidattn.attention.image.pyramid import SpatialReductionAttention
from vidattn.attention.image.relative import RelativeAttention
from vidattn.attention.image.self_attention import MapAttention
from vidattn.attention.image.twins import LocallyGroupedAttention, TwoStageAttention
from vidattn.attention.image.window import ShiftedWindowAttention, WindowAttention
from vidattn.attention.joint import JointAttention
from vidattn.attention.linear import JointLinearAttention
from vidattn.attention.local_global import GlobalAttention, LocalAttention
from vidattn.attention.neighborhood import NeighborhoodAttention3D
from vidattn.attention.per_frame import PerFrame
from vidattn.attention.pooled import PooledAttention
from vidattn.attention.position_encoding import PositionalEncodingGenerator3D
from vidattn.attention.scheme import Step
from vidattn.attention.spatial import SpatialAttention
from vidattn.attention.temporal import TemporalAttention
from vidattn.attention.trajectory import TrajectoryAttention
from vidattn.attention.window import ShiftedWindowAttention3D, WindowAttention3D


class Role(NamedTuple):
    """What the weights of a step's class mean.

    Args:
        attention: where `qkv` and `proj` are that could be any other role's; None where there are none such.
        output: layers and parameters that give a zero update when they are zero; none where nothing does.
        aside: the step is one beside a block's main attention, which can be taken out of it again: prefix tokens have
            no part in it.
    """

    attention: str | None
    output: tuple[str, ...] = ()
    aside: bool = False


ROLES: dict[type[nn.Module], Role] = {
    JointAttention: Role("attn.", ("attn.proj",)),
    SpatialAttention: Role("attn.", ("attn.proj",)),
    GlobalAttention: Role("attn.", ("attn.proj",)),
    HeightAttention: Role("attn.", ("attn.proj",)),
    JointLinearAttention: Role("attn.", ("attn.proj",)),
    NeighborhoodAttention3D: Role("attn.", ("attn.proj",)),
    PooledAttention: Role("attn.", ("attn.proj",)),
    SplitHeadsAttention: Role("", ("proj",)),
    TrajectoryAttention: Role("attn.", ("attn.proj",)),
    WindowAttention3D: Role("attn.", ("attn.proj",)),
    ShiftedWindowAttention3D: Role("attn.", ("attn.proj",)),
    LocalAttention: Role("attn.", ("fc",), aside=True),
    PlainTemporalAttention: Role("attn.", ("attn.proj",), aside=True),
    TemporalAttention: Role("attn.", ("fc",), aside=True),
    WidthAttention: Role("attn.", ("fc",), aside=True),
    PositionalEncodingGenerator3D: Role(None, ("conv",), aside=True),
    # Image blocks, all of them aside: prefix tokens have no part in a map. Those with ViT's weights take them.
    ACmix: Role(None, ("block.alpha", "block.beta"), aside=True),
    AxialAttention: Role(None, ("block.columns.proj",), aside=True),
    CrossShapedWindowAttention: Role("block.", ("block.proj",), aside=True),
    DeformableAttention: Role(None, ("block.proj",), aside=True),
    GraphAttention: Role(None, ("block.project",), aside=True),
    LargeKernelAttention: Role(None, ("block.proj_out",), aside=True),
    LinearAttention: Role("block.", ("block.proj",), aside=True),
    LocallyGroupedAttention: Role("block.", ("block.proj",), aside=True),
    MapAttention: Role("block.attn.", ("block.attn.proj",), aside=True),
    MultiScaleLargeKernelAttention: Role(None, ("block.proj_out",), aside=True),
    NeighborhoodAttention: Role("block.", ("block.proj",), aside=True),
    NonLocal: Role(None, ("block.gather.norm",), aside=True),
    PooledNonLocal: Role(None, ("block.gather.norm",), aside=True),
    PositionalEncodingGenerator: Role(None, ("block.conv",), aside=True),
    RelativeAttention: Role("block.", ("block.proj",), aside=True),
    ShiftedWindowAttention: Role("block.attn.", ("block.attn.proj",), aside=True),
    SpatialReductionAttention: Role(None, ("block.proj",), aside=True),
    TwoStageAttention: Role(None, ("block.grouped.proj", "block.subsampled.proj"), aside=True),
    WindowAttention: Role("block.attn.", ("block.attn.proj",), aside=True),
}
"""Every step whose weights can come from another's, or that can start at zero. Gates such as CBAM's can do neither."""

FAMILIES: dict[type[nn.Module], type[nn.Module]] = {
    ShiftedWindowAttention: WindowAttention,
    ShiftedWindowAttention3D: WindowAttention3D,
}
"""Classes with the same weights, that take turns from block to block."""

CLOSED: dict[type[nn.Module], type[nn.Module]] = {TemporalAttention: PlainTemporalAttention}
"""Classes with one more linear layer `fc` behind the projection -> the same without it."""


def kind(step: nn.Module) -> type[nn.Module]:
    """The class that a step's weights are of: of an image block its own, not `PerFrame`."""
    cls = type(step.block) if isinstance(step, PerFrame) else type(step)
    return FAMILIES.get(cls, cls)


def role(step: nn.Module) -> Role:
    """What the step's weights mean; of a class that is not known here, nothing."""
    return ROLES.get(kind(step), Role(None))


def one_is_closed(one: nn.Module, other: nn.Module) -> bool:
    """Whether the two steps are the same but for a linear layer `fc` behind the projection of one of them."""
    return (kind(one), kind(other)) in {*CLOSED.items(), *((without, closed) for closed, without in CLOSED.items())}


def unclosed(step: Step) -> Step:
    """The term of a scheme that computes the same without such a layer; itself where there is none."""
    return replace(step, turns=tuple(CLOSED.get(cls, cls) for cls in step.turns))


class Match(NamedTuple):
    """Where a step's weights come from.

    Args:
        source: index of the step of the trained block; None where the step starts fresh.
        same: it is a step of the same kind, so that all weights mean the same.
        silent: the step's output starts at zero.
    """

    source: int | None
    same: bool
    silent: bool


def match(trained: list[nn.Module], wanted: list[nn.Module]) -> list[Match]:
    """For each wanted step of a block: which of the trained block's steps its weights come from.

    First, steps of the same kind, in order, then those that differ in one linear layer. Then main attentions take the
    weights of main attentions: joint those of space, windows those of joint. What is left takes a copy of the main
    attention where its weights mean the same (as TimeSformer's code starts time attention from an image model), and
    keeps silent at first where it can.
    """
    free = list(range(len(trained)))
    found: list[Match | None] = [None] * len(wanted)
    for index, step in enumerate(wanted):
        same = next((one for one in free if kind(trained[one]) is kind(step)), None)
        if same is not None:
            free.remove(same)
            found[index] = Match(same, True, False)
    for index, step in enumerate(wanted):
        if found[index] is None:
            alike = next((one for one in free if one_is_closed(trained[one], step)), None)
            if alike is not None:
                free.remove(alike)
                found[index] = Match(alike, False, False)
    for index, step in enumerate(wanted):
        if found[index] is None and is_main(step):
            main = next((one for one in free if is_main(trained[one])), None)
            if main is not None:
                free.remove(main)
                found[index] = Match(main, False, False)
    any_main = next((one for one, step in enumerate(trained) if is_main(step)), None)
    for index, step in enumerate(wanted):
        if found[index] is None:
            copied = any_main if role(step).attention is not None else None
            found[index] = Match(copied, False, bool(role(step).output))
    return [one for one in found if one is not None]


def is_main(step: nn.Module) -> bool:
    """Whether the step is a block's main attention, one that carries prefix tokens along."""
    return role(step).attention is not None and not role(step).aside
