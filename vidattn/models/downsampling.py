"""What lies between two stages, where tokens become fewer and wider, by name: `"merge"`, `"conv_pool(1,4,4)"`."""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

from torch import nn

from vidattn.attention.image.relative import RelativeAttention
from vidattn.attention.multiscale import MultiscaleAttention
from vidattn.attention.per_frame import PerFrame
from vidattn.attention.unit import WHOLE, UnitAttention
from vidattn.grid import Grid
from vidattn.mistakes import Mistake
from vidattn.models.attention_opening import AttentionOpening
from vidattn.models.convolution_block import ConvolutionOpening
from vidattn.models.frame_patches import PatchEntry
from vidattn.models.opening_block import Opening, OpeningBlock
from vidattn.models.swin_parts import PatchMerging
from vidattn.wording import did_you_mean

if TYPE_CHECKING:
    from vidattn.models.hierarchical_config import HierarchicalConfig


class Downsampling(ABC):
    """How a stage gets half the rows and columns of the one before; frozen, made of the numbers in its spec.

    Attributes:
        takes_prefix: whether there may be prefix tokens before it.
        joining: prefix tokens that join the others here.
    """

    takes_prefix: ClassVar[bool] = True
    joining: int = 0

    @abstractmethod
    def fits(self, length: int) -> bool:
        """Whether so many rows or columns can be halved."""

    def tables_after(self, grid: Grid) -> Grid:
        """Of tokens on `grid`, those that the tables of the stage's blocks are made for."""
        return grid.with_sides(grid.frames, -(-grid.height // 2), -(-grid.width // 2))

    def merging(self, config: "HierarchicalConfig", stage: int, grid: Grid) -> nn.Module | None:
        """What stands before the first block of this stage, given tokens on `grid` that the stage before made; None if
        that block itself does it."""
        return None

    def opening(self, config: "HierarchicalConfig", stage: int, drop_path: float, grid: Grid) -> nn.Module | None:
        """The first block of this stage, given tokens on `grid` that the stage before made; None if it is as the
        others."""
        return None


@dataclass(frozen=True)
class Merge(Downsampling):
    """Swin's merging of patches, of any map."""

    def fits(self, length: int) -> bool:
        """Yes: odd ones are filled up."""
        return True

    def merging(self, config: "HierarchicalConfig", stage: int, grid: Grid) -> nn.Module:
        """The merging."""
        return PatchMerging(*config.widths_around(stage), config.parts, config.norm_eps)


@dataclass(frozen=True)
class PatchConv(Downsampling):
    """PVT's: patches of 2 x 2 through one layer and a norm, and a table of positions for the stage.

    Args:
        joining: prefix tokens that join here; PVT's class token does before the last stage.
    """

    takes_prefix = False
    joining: int = 0

    def fits(self, length: int) -> bool:
        """Yes: odd ones are filled up."""
        return True

    def tables_after(self, grid: Grid) -> Grid:
        """With the prefix tokens that join."""
        return Grid(grid.frames, -(-grid.height // 2), -(-grid.width // 2), self.joining)

    def merging(self, config: "HierarchicalConfig", stage: int, grid: Grid) -> nn.Module:
        """The patches."""
        return PatchEntry(*config.widths_around(stage), grid, self.joining, config.parts)


@dataclass(frozen=True)
class MBConvOpening(Downsampling):
    """CoAtNet's into a stage of convolutions: the first block is an MBConv of stride 2."""

    takes_prefix = False

    def fits(self, length: int) -> bool:
        """Where 2 x 2 fill the map."""
        return length % 2 == 0

    def opening(self, config: "HierarchicalConfig", stage: int, drop_path: float, grid: Grid) -> nn.Module:
        """The block."""
        return ConvolutionOpening(*config.widths_around(stage), config.dropout, drop_path)


@dataclass(frozen=True)
class RelativeOpening(Downsampling):
    """CoAtNet's into a stage of attention: the first block attends to means over 2 x 2, with relative positions.

    Args:
        height: of the map that its table is made for, in tokens that leave.
        width: of that map.
    """

    takes_prefix = False
    height: int = 14
    width: int = 14

    def fits(self, length: int) -> bool:
        """Where 2 x 2 fill the map."""
        return length % 2 == 0

    def opening(self, config: "HierarchicalConfig", stage: int, drop_path: float, grid: Grid) -> nn.Module:
        """The block."""
        dim, out_dim = config.widths_around(stage)
        heads, parts = config.num_heads[stage], config.parts
        step = PerFrame(RelativeAttention(dim, self.height, self.width, heads, parts=parts, out_dim=out_dim))
        ratio, eps, activation = config.mlp_ratios[stage], config.norm_eps, config.activation_function
        return AttentionOpening(dim, out_dim, step, ratio, config.dropout, drop_path, eps, activation, parts)


@dataclass(frozen=True)
class ConvPool(Downsampling):
    """MViT's: the first block pools its queries by a convolution of stride 2 over rows and columns, and its residual by
    the maximum of 3 x 3.

    Args:
        t: stride of its keys and values over frames.
        h: over rows.
        w: over columns.
    """

    t: int = 1
    h: int = 2
    w: int = 2

    def fits(self, length: int) -> bool:
        """Yes: odd ones are rounded up."""
        return True

    def tables_after(self, grid: Grid) -> Grid:
        """Rounded down, as in MViTv2's code, where the maps themselves are rounded up."""
        return grid.with_sides(grid.frames, max(grid.height // 2, 1), max(grid.width // 2, 1))

    def opening(self, config: "HierarchicalConfig", stage: int, drop_path: float, grid: Grid) -> OpeningBlock:
        """The block."""
        (dim, out_dim), heads = config.widths_around(stage), config.num_heads[stage]
        step = MultiscaleAttention(
            dim, heads, self.t, self.h, self.w, parts=config.parts, grid=grid, out_dim=out_dim, query_stride=(1, 2, 2)
        )
        return _opening(config, stage, drop_path, step, nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)))


@dataclass(frozen=True)
class MaxPool(Downsampling):
    """Hiera's: the first block attends in the units of the stage before, with the maxima of 2 x 2 queries.

    Args:
        t: frames of a unit; without numbers, the clip is one.
        h: rows of a unit.
        w: columns of a unit.
    """

    t: int = WHOLE
    h: int = WHOLE
    w: int = WHOLE

    def fits(self, length: int) -> bool:
        """Where 2 x 2 fill the map, and whole units."""
        return length % 2 == 0 and all(length <= side or length % side == 0 for side in (self.h, self.w))

    def opening(self, config: "HierarchicalConfig", stage: int, drop_path: float, grid: Grid) -> OpeningBlock:
        """The block."""
        (dim, out_dim), heads = config.widths_around(stage), config.num_heads[stage]
        step = UnitAttention(
            dim, heads, self.t, self.h, self.w, parts=config.parts, out_dim=out_dim, query_stride=(1, 2, 2)
        )
        return _opening(config, stage, drop_path, step, nn.MaxPool3d((1, 2, 2)))


def _opening(
    config: "HierarchicalConfig", stage: int, drop_path: float, step: Opening, pool: nn.Module
) -> OpeningBlock:
    ratio, eps, activation = config.mlp_ratios[stage], config.norm_eps, config.activation_function
    return OpeningBlock(step, pool, ratio, config.dropout, drop_path, eps, activation, config.parts)


DOWNSAMPLINGS: dict[str, type[Downsampling]] = {
    "merge": Merge,
    "conv_pool": ConvPool,
    "max_pool": MaxPool,
    "patch_conv": PatchConv,
    "mbconv": MBConvOpening,
    "relative": RelativeOpening,
}
"""Ways from one stage to the next by the name that a configuration gives."""


def parse_downsampling(spec: str) -> Downsampling:
    """What `spec` says: a name, with numbers behind it where it takes any.

    >>> parse_downsampling("merge"), parse_downsampling("max_pool(1,8,8)")
    (Merge(), MaxPool(t=1, h=8, w=8))

    Raises:
        ValueError: it cannot be read, the name is unknown, or it takes other numbers.
    """
    found = re.fullmatch(r"\s*(\w+)\s*(?:\(([\d\s,]*)\))?\s*", spec)
    if found is None:
        raise Mistake(
            f"downsampling={spec!r} cannot be read; write a name with whole numbers, as merge or max_pool(1,8,8)"
        )
    name, numbers = found[1], [int(one) for one in (found[2] or "").split(",") if one.strip()]
    if name not in DOWNSAMPLINGS:
        meant = did_you_mean(name, DOWNSAMPLINGS, f"; choose one of {', '.join(DOWNSAMPLINGS)}")
        raise Mistake(f"downsampling={spec!r}: {name!r} is unknown{meant}")
    cls: Any = DOWNSAMPLINGS[name]
    known = [field.name for field in fields(cls)]
    if len(numbers) > len(known) or 0 in numbers:
        takes = f"({', '.join(known)}), from 1 up" if known else "no numbers"
        raise Mistake(f"downsampling={spec!r}: {name} takes {takes}")
    return cls(*numbers)
