"""Attention schemes by name: `"time+space"` -> the steps of a block, in the paper's own sum notation."""

import ast
import difflib
import importlib
import inspect
import re
from dataclasses import dataclass
from typing import Any

from torch import nn

from vidattn.attention.axial import HeightAttention, WidthAttention
from vidattn.attention.base import ImageAttention, VideoAttention
from vidattn.attention.factorised import PlainTemporalAttention, SplitHeadsAttention
from vidattn.attention.image.acmix import ACmix
from vidattn.attention.image.axial import AxialAttention, CrissCrossAttention
from vidattn.attention.image.cbam import CBAM, ChannelAttention, SpatialGate
from vidattn.attention.image.cross_window import CrossShapedWindowAttention
from vidattn.attention.image.deformable import DeformableAttention
from vidattn.attention.image.graph import GraphAttention
from vidattn.attention.image.large_kernel import LargeKernelAttention, MultiScaleLargeKernelAttention
from vidattn.attention.image.linear import LinearAttention
from vidattn.attention.image.mbconv import MBConv
from vidattn.attention.image.neighborhood import NeighborhoodAttention
from vidattn.attention.image.non_local import NonLocal, PooledNonLocal
from vidattn.attention.image.position_encoding import PositionalEncodingGenerator
from vidattn.attention.image.pyramid import SpatialReductionAttention
from vidattn.attention.image.relative import RelativeAttention
from vidattn.attention.image.self_attention import MapAttention
from vidattn.attention.image.squeeze_excite import SqueezeExcite
from vidattn.attention.image.stand_alone import StandAloneAttention
from vidattn.attention.image.twins import LocallyGroupedAttention, TwoStageAttention
from vidattn.attention.image.window import ShiftedWindowAttention, WindowAttention
from vidattn.attention.joint import JointAttention
from vidattn.attention.linear import JointLinearAttention
from vidattn.attention.local_global import GlobalAttention, LocalAttention
from vidattn.attention.neighborhood import NeighborhoodAttention3D
from vidattn.attention.per_frame import PerFrame
from vidattn.attention.pooled import PooledAttention
from vidattn.attention.position_encoding import PositionalEncodingGenerator3D
from vidattn.attention.spatial import SpatialAttention
from vidattn.attention.temporal import TemporalAttention
from vidattn.attention.trajectory import TrajectoryAttention
from vidattn.attention.window import ShiftedWindowAttention3D, WindowAttention3D

STEPS: dict[str, type[nn.Module] | tuple[type[nn.Module], ...]] = {
    "global": GlobalAttention,
    "height": HeightAttention,
    "joint": JointAttention,
    "linear": JointLinearAttention,
    "local": LocalAttention,
    "neighborhood": NeighborhoodAttention3D,
    "peg3d": PositionalEncodingGenerator3D,
    "pooled": PooledAttention,
    "space": SpatialAttention,
    "split_heads": SplitHeadsAttention,
    "temporal": PlainTemporalAttention,
    "time": TemporalAttention,
    "trajectory": TrajectoryAttention,
    "width": WidthAttention,
    "window": (WindowAttention3D, ShiftedWindowAttention3D),
    # Image blocks, run on each frame: vidattn.attention.image tells what each is.
    "acmix": ACmix,
    "cbam": CBAM,
    "channel_attention": ChannelAttention,
    "criss_cross": CrissCrossAttention,
    "cswin": CrossShapedWindowAttention,
    "dat": DeformableAttention,
    "graph": GraphAttention,
    "image_axial": AxialAttention,
    "image_linear": LinearAttention,
    "image_neighborhood": NeighborhoodAttention,
    "image_window": WindowAttention,
    "lka": LargeKernelAttention,
    "local_group": LocallyGroupedAttention,
    "map": MapAttention,
    "mbconv": MBConv,
    "mlka": MultiScaleLargeKernelAttention,
    "non_local": NonLocal,
    "peg": PositionalEncodingGenerator,
    "pooled_non_local": PooledNonLocal,
    "pvt": SpatialReductionAttention,
    "relative": RelativeAttention,
    "spatial_gate": SpatialGate,
    "squeeze_excite": SqueezeExcite,
    "stand_alone": StandAloneAttention,
    "swin": (WindowAttention, ShiftedWindowAttention),
    "twins": TwoStageAttention,
}
"""Every name that a spec may use; a full import path stands wherever a name may.

Several classes take turns from block to block: windows are shifted in every second one, so that they exchange news.
"""

IMAGE_STEPS = [
    name for name, found in STEPS.items() if issubclass(found[0] if isinstance(found, tuple) else found, ImageAttention)
]
"""The names of 2D image attention blocks."""

ALIASES = {"divided": "time+space", "axial": "time+width+height", "space|time": "split_heads"}
"""Whole schemes that have a name of their own."""


@dataclass(frozen=True)
class Step:
    """One term of a scheme: an attention class, or several that take turns, and the arguments that the spec gives."""

    turns: tuple[type[nn.Module], ...]
    args: tuple[Any, ...] = ()

    def build(self, dim: int, num_heads: int, block: int = 0) -> VideoAttention:
        """The step of the block with this index, at width `dim`; an image block comes wrapped in `PerFrame`.

        All steps have the network's `num_heads`. An image block has them where its class knows that argument and the
        spec does not give it.
        """
        cls = self.turns[block % len(self.turns)]
        given = self.arguments(cls, dim, num_heads)
        built = cls(*given.args, **given.kwargs)
        return PerFrame(built) if isinstance(built, ImageAttention) else built  # type: ignore[return-value]

    def arguments(self, cls: type[nn.Module], dim: int, num_heads: int) -> inspect.BoundArguments:
        """All that `cls`, one of the `turns`, is built with, by name.

        Raises:
            TypeError: it takes fewer arguments than the spec gives, or more.
        """
        signature = inspect.signature(cls)
        if not issubclass(cls, ImageAttention):
            return signature.bind(dim, num_heads, *self.args)
        given = signature.bind_partial(dim, *self.args).arguments
        heads = {"num_heads": num_heads} if "num_heads" in signature.parameters.keys() - given.keys() else {}
        return signature.bind(dim, *self.args, **heads)


def parse_scheme(spec: str) -> tuple[Step, ...]:
    """The steps that `spec` names, in order.

    >>> [step.turns[0].__name__ for step in parse_scheme("time+space")]
    ['TemporalAttention', 'SpatialAttention']
    >>> parse_scheme("divided") == parse_scheme("time + space")
    True

    Args:
        spec: names joined by `+`, each with optional arguments as in `window(8,7,7)`; `ALIASES` stand for whole
            specs, and an import path such as `my_package.MyAttention` for any name.

    Raises:
        ValueError: a name is unknown (the message lists the known ones), its arguments are not those that it takes,
            or the spec cannot be read.
    """
    spec = ALIASES.get("".join(spec.split()), spec)
    try:
        # Python reads the spec for us, and `global` is a word of its own to it.
        tree = ast.parse(re.sub(r"\bglobal\b", "global_", spec.strip()), mode="eval").body
    except SyntaxError as error:
        raise ValueError(f"attention={spec!r} cannot be read; write names joined by +, as in 'time+space'") from error
    return tuple(_step(term, spec) for term in _terms(tree))


def is_space_only(spec: str) -> bool:
    """Whether no frame ever sees another: attention within frames is all there is, however it is spelt.

    >>> is_space_only("space"), is_space_only(" (space())"), is_space_only("space>time(4)")
    (True, True, False)

    Raises:
        ValueError: the spec cannot be read.
    """
    return ">" not in spec and parse_scheme(spec) == parse_scheme("space")


def _terms(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _terms(node.left) + _terms(node.right)
    return [node]


def _step(node: ast.expr, spec: str) -> Step:
    call = node if isinstance(node, ast.Call) else ast.Call(func=node, args=[], keywords=[])
    if call.keywords or not isinstance(call.func, ast.Name | ast.Attribute):
        raise ValueError(
            f"attention={spec!r}: {ast.unparse(node)!r} is not a name with plain arguments, as window(8,7,7)"
        )
    try:
        args = tuple(ast.literal_eval(argument) for argument in call.args)
    except ValueError as error:
        raise ValueError(f"attention={spec!r}: arguments of {ast.unparse(node)!r} must be plain numbers") from error
    name = ast.unparse(call.func).removesuffix("_")
    step = Step(_lookup(name, spec), args)
    for cls in step.turns:
        _check_arguments(step, cls, name, spec)
    return step


def _check_arguments(step: Step, cls: type[nn.Module], name: str, spec: str) -> None:
    own = list(inspect.signature(cls).parameters.values())[1 if issubclass(cls, ImageAttention) else 2 :]
    known = ", ".join(one.name if one.default in (one.empty, None) else f"{one.name}={one.default}" for one in own)
    takes = f"attention={spec!r}: {name} takes {f'({known})' if known else 'no arguments'}"
    try:
        step.arguments(cls, dim=1, num_heads=1)
    except TypeError:
        raise ValueError(f"{takes}, given ({', '.join(map(repr, step.args))})") from None
    for one, value in zip(own, step.args, strict=False):
        whole = one.annotation in (int, int | None)
        if (whole and type(value) is not int) or (one.annotation is float and type(value) not in (int, float)):
            raise ValueError(f"{takes}; {one.name}={value!r} must be a {'whole ' if whole else ''}number")
        if whole and value < 1 and name in STEPS:  # a size, a count or a ratio; a stranger's may be anything
            raise ValueError(f"{takes}; {one.name}={value} must be at least 1")


def _lookup(name: str, spec: str) -> tuple[type[nn.Module], ...]:
    if name in STEPS:
        found = STEPS[name]
        return found if isinstance(found, tuple) else (found,)
    if "." in name:
        return (_imported(name, spec),)
    if name in ALIASES:
        raise ValueError(f"attention={spec!r}: {name!r} is a whole scheme, not a step; write {ALIASES[name]} for it")
    known = sorted([*STEPS, *ALIASES])
    near = difflib.get_close_matches(name.lower(), known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    raise ValueError(f"attention={spec!r}: unknown step {name!r}{hint} Known: {', '.join(known)}, or an import path")


def _imported(path: str, spec: str) -> type[nn.Module]:
    module, _, name = path.rpartition(".")
    try:
        cls = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        hint = "; install it, or name its folder in PYTHONPATH" if isinstance(error, ImportError) else ""
        raise ValueError(f"attention={spec!r}: cannot import {path!r} ({error}){hint}") from error
    if not (isinstance(cls, type) and issubclass(cls, VideoAttention | ImageAttention)):
        raise ValueError(f"attention={spec!r}: {path!r} is neither a VideoAttention nor an ImageAttention")
    return cls
