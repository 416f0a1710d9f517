"""Attention schemes by name: `"time+space"` -> the steps of a block, in the paper's own sum notation."""

import ast
import fnmatch
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

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
from vidattn.attention.image.mbconv_se import SqueezedMBConv
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
from vidattn.attention.imported import imported
from vidattn.attention.joint import JointAttention
from vidattn.attention.linear import JointLinearAttention
from vidattn.attention.local_global import GlobalAttention, LocalAttention
from vidattn.attention.multiscale import MultiscaleAttention
from vidattn.attention.neighborhood import NeighborhoodAttention3D
from vidattn.attention.pooled import PooledAttention
from vidattn.attention.position_encoding import PositionalEncodingGenerator3D
from vidattn.attention.spatial import SpatialAttention
from vidattn.attention.step import Step as Step, takes_parts as takes_parts
from vidattn.attention.swin3d import ShiftedSwinAttention3D, SwinAttention3D
from vidattn.attention.temporal import TemporalAttention
from vidattn.attention.trajectory import TrajectoryAttention
from vidattn.attention.unit import UnitAttention
from vidattn.attention.window import ShiftedWindowAttention3D, WindowAttention3D
from vidattn.mistakes import Mistake
from vidattn.wording import did_you_mean

STEPS: dict[str, type[nn.Module] | tuple[type[nn.Module], ...]] = {
    "global": GlobalAttention,
    "height": HeightAttention,
    "joint": JointAttention,
    "linear": JointLinearAttention,
    "local": LocalAttention,
    "mvit": MultiscaleAttention,
    "neighborhood": NeighborhoodAttention3D,
    "peg3d": PositionalEncodingGenerator3D,
    "pooled": PooledAttention,
    "space": SpatialAttention,
    "split_heads": SplitHeadsAttention,
    "swin3d": (SwinAttention3D, ShiftedSwinAttention3D),
    "temporal": PlainTemporalAttention,
    "time": TemporalAttention,
    "trajectory": TrajectoryAttention,
    "unit": UnitAttention,
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
    "mbconv_se": SqueezedMBConv,
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


def list_attentions(filter: str = "*") -> list[str]:
    """The names that a scheme may use (steps, image blocks, whole schemes) and that match a shell pattern.

    >>> list_attentions("*window")
    ['window', 'image_window']
    """
    return fnmatch.filter([*STEPS, *ALIASES], filter)


@dataclass(frozen=True)
class Scheme:
    """A parsed scheme and its properties. Two spellings of one scheme are equal.

    >>> scheme = parse_scheme("divided")
    >>> [step.turns[0].__name__ for step in scheme.steps], scheme.frames_meet, scheme.needs_map
    (['TemporalAttention', 'SpatialAttention'], True, False)

    Attributes:
        spec: as it was written.
        steps: of each block; of a factorised encoder those of its spatial stage.
        temporal_depth: temporal blocks n of `space>time(n)`, ViViT's factorised encoder; None in all other schemes.
    """

    spec: str = field(compare=False)
    steps: tuple[Step, ...]
    temporal_depth: int | None = None

    @property
    def classes(self) -> Iterator[type[nn.Module]]:
        """All attention classes in it."""
        return (cls for step in self.steps for cls in step.turns)

    @property
    def is_space_only(self) -> bool:
        """Whether no frame ever sees another: attention within frames is all there is."""
        return self.temporal_depth is None and self.steps == SPACE

    @property
    def frames_meet(self) -> bool:
        """Whether the blocks see the whole clip at once, and not one frame at a time."""
        return self.temporal_depth is None and self.steps != SPACE

    @property
    def moves_prefix(self) -> bool:
        """Whether some step tells prefix tokens of the video."""
        return any(issubclass(cls, VideoAttention) and cls.moves_prefix for cls in self.classes)

    @property
    def needs_map(self) -> bool:
        """Whether some step asks in which row and column a token lies, so that places cannot be left out."""
        return any(not issubclass(cls, VideoAttention) or cls.needs_map for cls in self.classes)

    @property
    def takes_any_tokens(self) -> bool:
        """Whether no step asks which frame a token is from, nor in which row and column it lies."""
        return self.frames_meet and not any(
            not issubclass(cls, VideoAttention) or cls.needs_map or cls.needs_frames for cls in self.classes
        )


def parse_scheme(spec: str) -> Scheme:
    """What `spec` says.

    >>> parse_scheme("divided") == parse_scheme("time + space")
    True
    >>> parse_scheme("space>time(4)").temporal_depth
    4

    Args:
        spec: names joined by `+`, each with optional arguments as in `window(8,7,7)`; `ALIASES` stand for whole
            specs, and an import path such as `my_package.MyAttention` for any name. `space>time(4)` is ViViT's
            factorised encoder, with 4 temporal blocks.

    Raises:
        ValueError: a name is unknown (the message lists the known ones), its arguments are not those that it takes,
            or the spec cannot be read.
    """
    if ">" in spec:
        blocks = re.fullmatch(r"space>time\((\d+)\)", spec.replace(" ", ""))
        if blocks is None or int(blocks[1]) < 1:
            raise Mistake(f"attention={spec!r} cannot be read; write space>time(4) for 4 temporal blocks after `depth`")
        return Scheme(spec, SPACE, int(blocks[1]))
    terms = ALIASES.get("".join(spec.split()), spec)
    try:
        # Python reads the spec for us, and `global` is a word of its own to it.
        tree = ast.parse(re.sub(r"\bglobal\b", "global_", terms.strip()), mode="eval").body
    except SyntaxError as error:
        raise Mistake(f"attention={terms!r} cannot be read; write names joined by +, as in 'time+space'") from error
    return Scheme(spec, tuple(_step(term, terms) for term in _terms(tree)))


def _terms(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _terms(node.left) + _terms(node.right)
    return [node]


def _step(node: ast.expr, spec: str) -> Step:
    call = node if isinstance(node, ast.Call) else ast.Call(func=node, args=[], keywords=[])
    if call.keywords or not isinstance(call.func, ast.Name | ast.Attribute):
        raise Mistake(f"attention={spec!r}: {ast.unparse(node)!r} is not a name with plain arguments, as window(8,7,7)")
    try:
        args = tuple(ast.literal_eval(argument) for argument in call.args)
    except ValueError as error:
        raise Mistake(f"attention={spec!r}: arguments of {ast.unparse(node)!r} must be plain numbers") from error
    name = ast.unparse(call.func).removesuffix("_")
    step = Step(_lookup(name, spec), args)
    for cls in step.turns:
        _check_arguments(step, cls, name, spec)
    return step


def _check_arguments(step: Step, cls: type[nn.Module], name: str, spec: str) -> None:
    first = 1 if issubclass(cls, ImageAttention) else 2
    parameters = inspect.signature(cls).parameters.values()
    own = [one for one in parameters if one.name != "parts" and one.kind is not one.KEYWORD_ONLY][first:]
    known = ", ".join(one.name if one.default in (one.empty, None) else f"{one.name}={one.default}" for one in own)
    takes = f"attention={spec!r}: {name} takes {f'({known})' if known else 'no arguments'}"
    try:
        step.arguments(cls, dim=1, num_heads=1)
    except TypeError:
        raise Mistake(f"{takes}, given ({', '.join(map(repr, step.args))})") from None
    for one, value in zip(own, step.args, strict=False):
        whole = one.annotation in (int, int | None)
        if (whole and type(value) is not int) or (one.annotation is float and type(value) not in (int, float)):
            raise Mistake(f"{takes}; {one.name}={value!r} must be a {'whole ' if whole else ''}number")
        if whole and value < 1 and name in STEPS:  # a size, a count or a ratio; a stranger's may be anything
            raise Mistake(f"{takes}; {one.name}={value} must be at least 1")


def _lookup(name: str, spec: str) -> tuple[type[nn.Module], ...]:
    if name in STEPS:
        found = STEPS[name]
        return found if isinstance(found, tuple) else (found,)
    if "." in name:
        return (_imported(name, spec),)
    if name in ALIASES:
        raise Mistake(f"attention={spec!r}: {name!r} is a whole scheme, not a step; write {ALIASES[name]} for it")
    known = sorted([*STEPS, *ALIASES])
    hint = did_you_mean(name, known, otherwise=".")
    raise Mistake(f"attention={spec!r}: unknown step {name!r}{hint} Known: {', '.join(known)}, or an import path")


def _imported(path: str, spec: str) -> type[nn.Module]:
    cls = imported(path, f"attention={spec!r}")
    if not (isinstance(cls, type) and issubclass(cls, VideoAttention | ImageAttention)):
        raise Mistake(f"attention={spec!r}: {path!r} is neither a VideoAttention nor an ImageAttention")
    return cls


SPACE = (Step((SpatialAttention,)),)
"""The steps of `space`."""
