"""The configuration of a network in stages, whose widths and maps differ: Video Swin and the like."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from torch import nn

from vidattn.attention.parts import Parts
from vidattn.attention.scheme import Scheme, parse_scheme
from vidattn.checks import check_positive, check_rate, is_whole
from vidattn.grid import Grid
from vidattn.mistakes import Mistake
from vidattn.models.downsampling import Downsampling, parse_downsampling
from vidattn.models.layers import ACTIVATIONS, Activation, activation_named
from vidattn.models.network import NetworkConfig
from vidattn.models.norms import NORMS, norm_named
from vidattn.models.positions import POSITIONS, tables_named
from vidattn.models.readout import ReadOut
from vidattn.models.readout_table import READOUTS, readout_named
from vidattn.models.stems import STEMS

if TYPE_CHECKING:
    from vidattn.models.hierarchical import HierarchicalTransformer

PARTS: dict[str, Iterable[str]] = {
    "stem": STEMS,
    "position": POSITIONS,
    "pooling": READOUTS,
    "norm": NORMS,
    "activation": ACTIVATIONS,
}
"""Fields that are a name, each with the table that knows it."""


@dataclass(frozen=True)
class HierarchicalConfig(NetworkConfig):
    """All numbers that make a network in stages. The defaults are Video Swin-T's.

    The same network with another attention is one line, and a stage's own another:

    >>> from dataclasses import replace
    >>> swin = HierarchicalConfig()
    >>> divided = replace(swin, attention="time+space")
    >>> late = replace(swin, attention=("swin3d(8,7,7)", "swin3d(8,7,7)", "time+space", "joint"))

    Args:
        attention: scheme of the blocks, as in `vidattn.attention.scheme`; one for all stages, or one for each.
        num_classes: width of the head.
        num_frames: frames of the clips that tables of positions are made for; others work at run time.
        image_size: height and width in pixels of those clips, or one number for both.
        widths: token width of each stage.
        depths: blocks of each stage.
        num_heads: heads of each stage.
        downsampling: what leads to fewer and wider tokens before each stage but the first, see
            `vidattn.models.downsampling`; one for all, or one for each. Of one for each stage, the first has one too.
        patch_size: pixels from one patch to the next.
        tubelet_size: frames from one tubelet to the next.
        stem: how pixels become tokens, see `vidattn.models.stems`.
        stem_width: token width that it makes, where a downsampling before the first stage changes it; the first
            stage's by default.
        position: tables of positions before the first block: `none`, or as in `vidattn.models.positions`.
        pooling: the read-out, see `vidattn.models.readout`.
        mlp_ratio: hidden width of the MLPs over the token width; one for all stages, or one for each.
        dropout: probability of zeroing a component, after the embedding and in each update.
        drop_path: probability of skipping an update in the last block; rises linearly from 0 in the first.
        gradient_checkpointing: recompute each block in the backward pass: less memory, a third more time.
        init_std: standard deviation of fresh linear layers.
        norm: of all parts, see `vidattn.models.norms`.
        norm_eps: added to the variance in the norms.
        activation: of the MLPs.

    Raises:
        ValueError: a value does not fit; the message names it.
    """

    attention: str | tuple[str, ...] = "swin3d(8,7,7)"
    num_classes: int = 400
    num_frames: int = 32
    image_size: int | tuple[int, int] = 224
    widths: tuple[int, ...] = (96, 192, 384, 768)
    depths: tuple[int, ...] = (2, 2, 6, 2)
    num_heads: tuple[int, ...] = (3, 6, 12, 24)
    downsampling: str | tuple[str, ...] = "merge"
    patch_size: int = 4
    tubelet_size: int = 2
    stem: str = "filled"
    stem_width: int | None = None
    position: str = "none"
    pooling: str = "normed_mean"
    mlp_ratio: float | tuple[float, ...] = 4.0
    dropout: float = 0.0
    drop_path: float = 0.0
    gradient_checkpointing: bool = False
    init_std: float = 0.02
    norm: str = "layer_norm"
    norm_eps: float = 1e-5
    activation: str = "gelu"

    def __post_init__(self) -> None:
        stages = len(self.widths)
        for name in ("widths", "depths", "num_heads"):
            values = getattr(self, name)
            if not isinstance(values, tuple) or not values or not all(is_whole(one) and one > 0 for one in values):
                raise Mistake(f"{name}={values!r}; wanted a whole number from 1 up for each stage")
            if len(values) != stages:
                raise Mistake(
                    f"{name}={values} has {len(values)} numbers for the {stages} stages of widths={self.widths}"
                )
        for width, heads in zip(self.widths, self.num_heads, strict=True):
            if width % heads:
                raise Mistake(f"num_heads={self.num_heads}: a width of {width} is not a multiple of {heads} heads")
        for name, given, counts in (
            ("attention", self.attention, (stages,)),
            ("downsampling", self.downsampling, (stages - 1, stages)),
        ):
            texts = isinstance(given, str) or (isinstance(given, tuple) and all(isinstance(one, str) for one in given))
            if not texts:
                raise Mistake(f"{name}={given!r}; wanted text, or a tuple of text with one for each stage")
            if not isinstance(given, str) and len(given) not in counts:
                wanted = f"wanted one for all, or {counts[0]} for {stages} stages"
                raise Mistake(f"{name}={given} names {len(given)}; {wanted}")
        check_positive(
            num_classes=self.num_classes,
            num_frames=self.num_frames,
            patch_size=self.patch_size,
            tubelet_size=self.tubelet_size,
        )
        check_rate(dropout=self.dropout, drop_path=self.drop_path)
        if len(self.mlp_ratios) != stages or not all(ratio > 0 for ratio in self.mlp_ratios):
            raise Mistake(
                f"mlp_ratio={self.mlp_ratio} must be above 0; one for all, or one for each of {stages} stages"
            )
        for name in ("init_std", "norm_eps"):
            if not getattr(self, name) > 0:
                raise Mistake(f"{name}={getattr(self, name)} must be above 0")
        for name, known in PARTS.items():
            value = getattr(self, name)
            if value not in known and "." not in value:
                raise Mistake(f"{name}={value!r} is unknown; choose one of {', '.join(known)}, or an import path")
        _ = self.readout, self.tables, self.parts, self.activation_function, self.downsamplings
        for spec, scheme in zip(self.attentions, self.schemes, strict=True):
            if scheme.temporal_depth is not None:
                raise Mistake(f"attention={spec!r} is a network of its own, and no scheme of a stage")
        self._check_prefix()
        if self.stem_width not in (None, self.widths[0]) and self.downsamplings[0] is None:
            raise Mistake(
                f"stem_width={self.stem_width} differs from widths={self.widths}, and nothing leads to the first "
                f"stage; give downsampling one for each of {stages} stages, or leave stem_width out"
            )
        self.check_clip(self.num_frames, *self.size, name="image_size")

    def _check_prefix(self) -> None:
        """Raise unless all prefix tokens that the read-out needs get to it."""
        prefix = self.native_grid.prefix
        if prefix < 0:
            raise Mistake(
                f"downsampling={self.downsampling}: {self.readout.num_prefix - prefix} prefix tokens join, and "
                f"pooling={self.pooling!r} reads {self.readout.num_prefix}; take another pooling, such as class_token"
            )
        for downsampling in self.downsamplings:
            if downsampling is not None:
                if prefix and not downsampling.takes_prefix:
                    raise Mistake(
                        f"pooling={self.pooling!r} needs prefix tokens, and downsampling={self.downsampling} takes "
                        "none along; take pooling mean, or let them join before the last stage, as patch_conv(1) does"
                    )
                prefix += downsampling.joining

    @property
    def attentions(self) -> tuple[str, ...]:
        """The spec of each stage."""
        return (self.attention,) * len(self.widths) if isinstance(self.attention, str) else self.attention

    @cached_property
    def schemes(self) -> tuple[Scheme, ...]:
        """What `attention` says for each stage."""
        return tuple(parse_scheme(spec) for spec in self.attentions)

    @cached_property
    def downsamplings(self) -> tuple[Downsampling | None, ...]:
        """What `downsampling` says for each stage; None for a first stage that takes the stem's tokens as they are."""
        given = self.downsampling
        parsed = [
            parse_downsampling(one) for one in ([given] * (len(self.widths) - 1) if isinstance(given, str) else given)
        ]
        return (*[None] * (len(self.widths) - len(parsed)), *parsed)

    @property
    def mlp_ratios(self) -> tuple[float, ...]:
        """What `mlp_ratio` says for each stage."""
        return self.mlp_ratio if isinstance(self.mlp_ratio, tuple) else (self.mlp_ratio,) * len(self.widths)

    def widths_around(self, stage: int) -> tuple[int, int]:
        """Width of the tokens that come to a stage, and of those in it."""
        stem = self.widths[0] if self.stem_width is None else self.stem_width
        return (self.widths[stage - 1] if stage else stem), self.widths[stage]

    @cached_property
    def readout(self) -> type[ReadOut]:
        """What `pooling` names."""
        return readout_named(self.pooling)

    @cached_property
    def tables(self) -> tuple[type[nn.Module], type[nn.Module]]:
        """What `position` names: the tables of places and of times."""
        return tables_named(self.position)

    @cached_property
    def activation_function(self) -> Activation:
        """What `activation` names."""
        return activation_named(self.activation)

    @cached_property
    def parts(self) -> Parts:
        """What the blocks are made of."""
        return Parts(norm=norm_named(self.norm), std=self.init_std)

    @property
    def size(self) -> tuple[int, int]:
        """`image_size` as (height, width)."""
        return self.image_size if isinstance(self.image_size, tuple) else (self.image_size, self.image_size)

    @property
    def title(self) -> str:
        """The scheme of all stages, or those of the stages one after another."""
        return " then ".join(dict.fromkeys(self.attentions))

    @property
    def shape(self) -> str:
        """Widths, depths and heads."""
        return ", ".join(
            f"{name} {'-'.join(map(str, values))}"
            for name, values in (("widths", self.widths), ("depths", self.depths), ("heads", self.num_heads))
        )

    def grid(self, frames: int, height: int, width: int) -> Grid:
        """The tokens that a clip of `frames` frames of `height x width` pixels enters the first stage as."""
        sides = (-(-frames // self.tubelet_size), -(-height // self.patch_size), -(-width // self.patch_size))
        joining = sum(downsampling.joining for downsampling in self.downsamplings if downsampling is not None)
        return Grid(*sides, self.readout.num_prefix - joining)

    def check_clip(self, frames: int, height: int, width: int, name: str = "input") -> None:
        """Raise a `ValueError` that names the nearest fitting sizes unless the network takes clips of this size."""
        check_positive(**{f"{name} frames": frames})
        for side in (height, width):
            if not self.fits(side):
                near = [fit for fit in (self.nearest(side, -1), self.nearest(side, 1)) if fit]
                raise Mistake(
                    f"{name}={height}x{width}: {side} pixels become a map that a stage cannot halve as it must; "
                    f"nearest sizes are {' and '.join(map(str, near))}"
                )

    def fits(self, side: int) -> bool:
        """Whether all stages take a clip of so many pixels in height or width."""
        length = -(-side // self.patch_size)
        for downsampling in self.downsamplings:
            if downsampling is not None:
                if side < 1 or not downsampling.fits(length):
                    return False
                length = -(-length // 2)
        return side > 0

    def nearest(self, side: int, step: int) -> int | None:
        """The nearest fitting number of whole patches below (`step` -1) or above `side`, in pixels; None if none is."""
        patches = -(-side // self.patch_size) if step < 0 else side // self.patch_size
        while 0 < patches + step < 10_000:
            patches += step
            if self.fits(patches * self.patch_size):
                return patches * self.patch_size
        return None

    def build(self) -> "HierarchicalTransformer":
        """A fresh network."""
        from vidattn.models.hierarchical import HierarchicalTransformer  # it is made of its configuration

        return HierarchicalTransformer(self)

    def shallow(self, depth: int) -> "HierarchicalConfig":
        """The same with at most so many blocks in each stage."""
        return replace(self, depths=tuple(min(own, depth) for own in self.depths))

    def drop_path_of(self, block: int) -> float:
        """Drop path of the block with this index, counted through: linear from 0 to `drop_path`."""
        return self.drop_path * block / max(sum(self.depths) - 1, 1)
