"""What every video network is: a backbone, a read-out and a head, made by a configuration of its own."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import asdict, fields, replace
from typing import Any, NamedTuple

from torch import Tensor, nn

from vidattn.attention.parts import linear
from vidattn.grid import Grid
from vidattn.macs import Macs
from vidattn.mistakes import Mistake
from vidattn.models.block import Block
from vidattn.models.keep import Kept
from vidattn.models.readout import ReadOut, read_out


class NetworkConfig(ABC):
    """All numbers that make a network: a frozen dataclass that checks itself.

    Its fields are plain values (numbers, strings, tuples of them), so that a checkpoint can hold them.

    Attributes:
        num_frames: frames of the clips that the network is made for.
        num_classes: width of the head.
        gradient_checkpointing: whether blocks are computed again in the backward pass.
    """

    num_frames: int
    num_classes: int
    gradient_checkpointing: bool = False

    @property
    @abstractmethod
    def size(self) -> tuple[int, int]:
        """Height and width in pixels of the clips that the network is made for."""

    @property
    @abstractmethod
    def title(self) -> str:
        """The name in tables: the scheme, where there is one."""

    def __getstate__(self) -> dict[str, Any]:
        """The fields alone: classes and functions that are derived of them have no place in a file."""
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, as a checkpoint holds them."""
        return asdict(self)  # type: ignore[call-overload]

    @property
    def shape(self) -> str:
        """Width, depth and the like, as a model card says it."""
        return ", ".join(f"{field.name}={getattr(self, field.name)}" for field in fields(self))  # type: ignore[arg-type]

    @abstractmethod
    def grid(self, frames: int, height: int, width: int) -> Grid:
        """The tokens that a clip of `frames` frames of `height x width` pixels enters the first block as."""

    @abstractmethod
    def check_clip(self, frames: int, height: int, width: int, name: str = "input") -> None:
        """Raise a `ValueError` that names the nearest fitting numbers unless the network takes clips of this size.

        Args:
            frames: of the clip.
            height: in pixels.
            width: in pixels.
            name: what the message calls the clip.
        """

    def check_keeps(self, keep: Kept) -> None:
        """Raise a `ValueError` unless the network can be given a part of a clip's tokens, `keep`; the tokens of those
        that take any must have the values that they would have as a clip of their own."""
        if keep.leaves_out:
            raise Mistake(f"a network of {type(self).__name__} cannot leave places out")

    @abstractmethod
    def build(self) -> "Network":
        """A fresh network."""

    @property
    def picture(self) -> int | tuple[int, int]:
        """`size` as one number where it is a square."""
        height, width = self.size
        return height if height == width else (height, width)

    @property
    def native_grid(self) -> Grid:
        """The tokens of the clips that the network is made for."""
        return self.grid(self.num_frames, *self.size)

    @property
    def has_time(self) -> bool:
        """Whether the order and the number of frames matter to the network."""
        return True

    @property
    def answers_blindly(self) -> bool:
        """Whether all clips get the same logits, as no step tells what is read out of the video."""
        return False


class Features(NamedTuple):
    """What a backbone makes of a clip.

    Args:
        tokens: `(B, S, D)`.
        grid: how they lie. Where each frame has class tokens of its own, those of all frames are the prefix.
    """

    tokens: Tensor
    grid: Grid

    @property
    def prefix(self) -> Tensor:
        """Class tokens and registers, `(B, P, D)`."""
        return self.grid.split(self.tokens)[0]

    @property
    def video(self) -> Tensor:
        """The others, `(B, T, h, w, D)`."""
        return self.grid.split(self.tokens)[1]


class Stage(NamedTuple):
    """Blocks that run one after another.

    Args:
        blocks: in their order.
        grid: the tokens of one run, as they enter the first block; all blocks but those that say otherwise
            (`grid_after`) leave it as it is.
        runs: how often they run for one clip: once, or for each frame.
        readout: what makes one vector of each run's tokens; None where a next stage takes the tokens themselves.
        passage: what its tokens came through from the stage before where that has no read-out: a merging of patches, or
            an `nn.Identity`. None in a first stage; and in one of which nobody can say where its tokens came from.
        folding: where no stage makes others of a clip's tokens, how this one lays them into its runs, `(B, S)` to
            `(B * runs, S / runs)`, in einops' words with `t` frames of `n` places each.
    """

    blocks: nn.ModuleList
    grid: Grid
    runs: int = 1
    readout: ReadOut | None = None
    folding: str = ""
    passage: nn.Module | None = None

    def grids(self) -> list[Grid]:
        """The grid that each block is given, and that of the tokens that leave the last."""
        grids = [self.grid]
        for block in self.blocks:
            after = getattr(block, "grid_after", None)  # a block of a user's own need not have it
            grids.append(grids[-1] if after is None else after(grids[-1]))
        return grids

    def each(self) -> Iterator[tuple[Block, Grid]]:
        """The blocks, each with the grid that it is given."""
        return zip(self.blocks, self.grids(), strict=False)  # type: ignore[arg-type]


class EndMacs(NamedTuple):
    """Cost of everything but the blocks, of one clip.

    Args:
        patch: pixels to tokens.
        between: what lies between blocks: position encodings, the merging of patches.
        head: read-outs and classifier.
    """

    patch: Macs
    between: Macs
    head: Macs


class Network(nn.Module, ABC):
    """Clips in, logits out: `head(norm(readout(features)))`; `head(readout(norm(features)))` where a read-out asks so.

    A subclass has `config`, `readout`, `norm` and `head`, says what its backbone does in `features`, and lays its
    blocks open in `layout`; counting, freezing, sharding, maps and the moving of weights go by that.
    """

    config: NetworkConfig
    readout: ReadOut
    norm: nn.Module
    head: nn.Linear

    @abstractmethod
    def features(self, video: Tensor, keep: Kept | Tensor | None = None, normalized: bool = False) -> Features:
        """The tokens that come out of the last block.

        Args:
            video: normalised clips `(B, 3, T, H, W)`.
            keep: what the backbone sees of each clip: `(B, n)`, locations that are kept in all frames (other ones in
                each clip; numbers along rows, then columns), or `vidattn.models.keep.Tokens` of any of a clip's tokens.
                A kept token has the position that it has in the whole clip. All of it by default.
            normalized: pass them through the last norm, as probes and pre-training read them.

        Raises:
            ValueError: the input is not a clip, its size does not fit, or tokens cannot be left out: a step asks where
                in the map a token lies.
        """

    @abstractmethod
    def layout(self, frames: int, height: int, width: int, keep: Kept | None = None) -> list[Stage]:
        """The stages that a clip of `frames` frames of `height x width` pixels goes through, in order.

        Args:
            frames: of the clip.
            height: in pixels.
            width: in pixels.
            keep: what the backbone sees of it; all by default. Asked only of networks whose `features` take it.
        """

    @abstractmethod
    def end_macs(self, frames: int, height: int, width: int, keep: Kept | None = None) -> EndMacs:
        """Cost of everything but the blocks, of one clip."""

    def read(self, features: Features) -> Tensor:
        """One vector of each clip's tokens, `(B, D)`, as the head takes it."""
        return read_out(self.readout, self.norm, features.tokens)

    def forward(self, video: Tensor) -> Tensor:
        """Normalised clips `(B, 3, T, H, W)` -> logits `(B, K)`.

        Raises:
            ValueError: the input is not a clip, or its size does not fit.
        """
        return self.head(self.read(self.features(video)))

    def macs(self, frames: int, height: int, width: int, keep: Kept | None = None) -> Macs:
        """Cost of one clip of `frames` frames of `height x width` pixels, or of what is kept of it."""
        return self.features_macs(frames, height, width, keep) + self._ends(frames, height, width, keep).head

    def features_macs(self, frames: int, height: int, width: int, keep: Kept | None = None) -> Macs:
        """Cost of `features` of one clip: `macs` without read-out and head."""
        patch, between, _ = self._ends(frames, height, width, keep)
        total = patch + between
        for stage in self.layout(frames, height, width) if keep is None else self.layout(frames, height, width, keep):
            for block, grid in stage.each():
                total += stage.runs * block.macs(grid)
        return total

    def _ends(self, frames: int, height: int, width: int, keep: Kept | None) -> EndMacs:
        # A network of a user's own need not know of `keep`, as long as nobody asks for it.
        clip = (frames, height, width)
        return self.end_macs(*clip) if keep is None else self.end_macs(*clip, keep)

    def all_blocks(self) -> Iterator[Block]:
        """The blocks of all stages, in order."""
        for stage in self.layout(self.config.num_frames, *self.config.size):
            yield from stage.blocks  # type: ignore[misc]

    def ends(self) -> list[nn.Module]:
        """What follows the backbone: read-out, norm and head."""
        return [self.readout, self.norm, self.head]

    @property
    def num_features(self) -> int:
        """Width of the vector that the head takes."""
        return self.head.in_features

    def reset_classifier(self, num_classes: int) -> None:
        """Put a fresh head for so many classes in the place of this one.

        Raises:
            ValueError: there would be none.
        """
        changes: dict[str, Any] = {"num_classes": num_classes}
        self.config = replace(self.config, **changes)  # type: ignore[type-var]
        self.head = linear(self.num_features, num_classes).to(self.head.weight)
