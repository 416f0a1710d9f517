"""A network split into its blocks, of which equal ones are counted once, and what lies before and after them."""

from collections import Counter
from typing import NamedTuple

from torch import Tensor, nn

from vidattn.attention.per_frame import PerFrame
from vidattn.flops.activations import block_bytes, network_bytes
from vidattn.flops.weightless import network_on_meta
from vidattn.grid import Grid
from vidattn.macs import Macs
from vidattn.models.block import Block
from vidattn.models.network import Network
from vidattn.models.presets import Schemed


class Ends(NamedTuple):
    """What everything but the blocks holds: numbers that it learns, and bytes that a training step keeps of it."""

    parameters: int
    activation_bytes: int


class Outline:
    """A network taken apart, to be counted at many lengths and sizes: its blocks are made and looked at once.

    Args:
        twin: a network on the meta device (`vidattn.flops.weightless.network_on_meta`); its blocks are taken out.

    Attributes:
        ends: the network with something that does nothing in the place of each block.
        blocks: in their order.
        kinds: for each block the place of the first that differs from it in its weights alone.
    """

    def __init__(self, twin: Network) -> None:
        self.blocks: list[Block] = []
        for stage in twin.layout(twin.config.num_frames, *twin.config.size):
            for place, block in enumerate(stage.blocks):
                self.blocks.append(block)  # type: ignore[arg-type]
                stage.blocks[place] = _Through(block)
        self.ends = twin
        places: dict[tuple, int] = {}
        self.kinds = [places.setdefault(_likeness(block), place) for place, block in enumerate(self.blocks)]
        self._kept: dict[tuple, dict[int, int]] = {}  # bytes of blocks by their number of frames, where these are alone

    def macs(self, frames: int, height: int, width: int) -> int:
        """Multiply-accumulates of one clip of `frames` frames of `height x width` pixels; the same as the network's."""
        grids = self.block_grids(frames, height, width)
        alike = Counter((kind, runs, grid) for kind, (runs, grid) in zip(self.kinds, grids, strict=True))
        blocks = sum(times * runs * self.blocks[kind].macs(grid).total for (kind, runs, grid), times in alike.items())
        return self.ends.macs(frames, height, width).total + blocks

    def block_grids(self, frames: int, height: int, width: int) -> list[tuple[int, Grid]]:
        """How often each block runs for one clip, and the grid that it runs on."""
        stages = self.ends.layout(frames, height, width)
        return [(stage.runs, grid) for stage in stages for _, grid in stage.each()]

    def block_bytes(self, kind: int, grid: Grid, runs: int = 1) -> int:
        """Bytes kept of one block, as `vidattn.flops.activations.block_bytes` measures them.

        Where every step takes each frame for itself, two frames or more keep the same for each further one: asked for a
        third length, the line through the first two is the answer.

        Args:
            kind: place of the block.
            grid: the tokens of one run.
            runs: rows of the batch that the block gets.
        """
        block, frames = self.blocks[kind], grid.frames
        if frames < 2 or not all(isinstance(step, PerFrame) for step in block.steps):
            return block_bytes(block, grid, runs)
        known = self._kept.setdefault((kind, runs, *grid[1:]), {})
        if frames not in known and len(known) < 2:
            known[frames] = block_bytes(block, grid, runs)
        if frames in known:
            return known[frames]
        (one, low), (other, high) = known.items()
        return low + (frames - one) * (high - low) // (other - one)

    def count_ends(self, frames: int, height: int, width: int, batch: int = 1) -> Ends:
        """Cost of the ends for `batch` clips of `frames` frames of `height x width` pixels."""
        return Ends(num_parameters(self.ends), network_bytes(self.ends, frames, height, width, batch))


def count_ends(config: Schemed) -> Ends:
    """Cost of the ends of a configuration's network, on a clip of its own size, at any depth."""
    return Outline(network_on_meta(config.shallow(1))).count_ends(config.num_frames, *config.size)


def num_parameters(module: nn.Module) -> int:
    """Numbers that a module learns."""
    return sum(parameter.numel() for parameter in module.parameters())


class _Through(nn.Module):
    """In the place of a block, so that a position encoding still follows the first one: tokens as they are, or as many
    and as wide as the block would make them."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.out_dim = getattr(block, "out_dim", None)
        self.after = getattr(block, "grid_after", None)

    def grid_after(self, grid: Grid) -> Grid:
        return grid if self.after is None else self.after(grid)

    def forward(self, tokens: Tensor, grid: Grid) -> Tensor:
        if self.out_dim is None:
            return tokens
        return tokens.new_empty(len(tokens), self.grid_after(grid).num_tokens, self.out_dim)

    def macs(self, grid: Grid) -> Macs:
        return Macs()


def _likeness(module: nn.Module) -> tuple:
    """Equal for modules that differ in their weights alone."""
    plain = (int, float, str, tuple)
    return tuple(
        (type(part), tuple((name, value) for name, value in vars(part).items() if isinstance(value, plain)))
        for part in module.modules()
    )
