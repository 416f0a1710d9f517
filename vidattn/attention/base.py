"""What every attention in this package is: a small module with a `forward` and, beside it, its price and what else
others must know of it."""

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

from torch import Tensor, nn

from vidattn.grid import Grid
from vidattn.macs import Macs


class Role(NamedTuple):
    """What a step's weights mean to steps of other classes, when a trained network becomes one of another scheme.

    Args:
        attention: where `qkv` and `proj` are that could be any other step's, such as `"attn."`; None where there are
            none such.
        outputs: layers and parameters that give a zero update when they are zero; none where nothing does.
        optional: the step is one beside a block's main attention, which can be taken out of it again: prefix tokens
            have no part in it.
    """

    attention: str | None = None
    outputs: tuple[str, ...] = ()
    optional: bool = False


class KeptRows(NamedTuple):
    """Tokens that a step keeps for the backward pass; a prefix token counts as often as it is copied.

    Args:
        entering: as they enter the projection.
        attending: as queries, keys, values and output.
        following: as a layer behind the projection takes them.
    """

    entering: int
    attending: int
    following: int = 0


class RowMaps(NamedTuple):
    """Attention weights of a step whose tokens lie in rows, each of which attends within itself.

    Args:
        weights: `(B, F, m, n)`, what each of m of a row's tokens takes of each of its n; the mean over the heads.
        folds: how the F rows of a clip lie beside one another, without a prefix.
        row: how the n tokens of each lie, its copy of the prefix first.
    """

    weights: Tensor
    folds: Grid
    row: Grid


def entering(grid: Grid, runs: int) -> int:
    """Tokens that a step keeps which takes the video without its prefix: a view of one stream keeps all of it, while of
    several streams it is a copy."""
    return grid.num_tokens if runs == 1 else grid.num_video_tokens


class VideoAttention(nn.Module, ABC):
    """One residual step over a video's tokens: takes the normed stream, returns the update (never `x + update`).

    Subclasses take the token width `dim` first and `num_heads` second, so that a scheme can build them, and the keyword
    `parts` (`vidattn.attention.parts.Parts`) if their layers are to be the network's.

    Attributes:
        scores_tokens: whether all scores are of a token's query with a token's key, from `Heads.project` or `across`:
            what a configuration's `query_key` then does to them has a meaning.
        moves_prefix: whether prefix tokens get an update; zeros otherwise.
        needs_map: whether it asks in which row and column a token lies. One that does not gives kept tokens of a clip
            (the same places in every frame) what they would have as a clip of their own.
        needs_frames: whether it asks which frame a token is from. One that asks neither takes any tokens of a clip.
        mixes_by_weights: whether tokens meet in attention weights only, so that a replay of recorded weights
            (`vidattn.explain.spread`) tells where an update came from. Of a class that does not say so it is found out
            by nudging a token.
        role: what its weights mean to other classes.
        weights_of: the class whose weights these are, where several classes take turns with the same ones.
        without_output_layer: the class that is the same without a linear layer `fc` behind the projection.
    """

    scores_tokens: ClassVar[bool] = False
    moves_prefix: ClassVar[bool] = True
    needs_map: ClassVar[bool] = True
    needs_frames: ClassVar[bool] = True
    mixes_by_weights: ClassVar[bool] = False
    role: ClassVar[Role] = Role()
    weights_of: ClassVar[type[nn.Module] | None] = None
    without_output_layer: ClassVar[type[nn.Module] | None] = None

    @abstractmethod
    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """`(B, S, D)` -> `(B, S, D)`, with `S = grid.num_tokens`."""

    @abstractmethod
    def macs(self, grid: Grid) -> Macs:
        """Cost of one `forward` on one clip."""

    def macs_of_call(self, inputs: tuple, output: Tensor) -> Macs:
        """Cost of a call of `forward` with these inputs, all clips of the batch."""
        tokens, grid = inputs
        return tokens.shape[0] * self.macs(grid)

    def kept_rows(self, grid: Grid, runs: int) -> KeptRows | None:
        """Tokens that one of `runs` runs on `grid` keeps for the backward pass; None where no closed form tells.

        A form is worth writing for a step of which many are counted: autograd itself tells the rest in ten milliseconds
        (`vidattn.flops.activations`).
        """
        return None

    def row_maps(self, weights: Tensor, grid: Grid) -> RowMaps | None:
        """Weights as `vidattn.models.recorder` finds them in a run on `grid`, laid out; None where tokens do not attend
        within rows that lie in the clip side by side, so that maps on another grid cannot be compared."""
        return None


class ImageAttention(nn.Module, ABC):
    """A shape-preserving 2D block over feature maps; the channel width comes first in its constructor.

    `forward` is the block as its paper draws it. Some papers draw the residual inside, most outside: `update` is
    what all of them add to a residual stream.

    Attributes:
        sees: which pixels one pixel sees: k is a window's side, w a window's or stripe's width, R a reduction.
        cost: multiply-accumulates but for the projections, which are `O(N C^2)`, of a map of N pixels in C channels.
        paper: a short name, and the number on arxiv.org.
        role: what its weights mean to other classes; names are the block's own.
        weights_of: the class whose weights these are, where several classes take turns with the same ones.
        stands_alone: whether it norms its input itself and no MLP follows it, so that in a stage it is a whole block.
    """

    sees: ClassVar[str] = ""
    cost: ClassVar[str] = ""
    paper: ClassVar[str] = ""
    role: ClassVar[Role] = Role()
    weights_of: ClassVar[type[nn.Module] | None] = None
    stands_alone: ClassVar[bool] = False

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, H, W)` -> `(B, C, H, W)`."""

    def update(self, x: Tensor) -> Tensor:
        """The output; less the input where the paper's block is `x + update`. A gate `x * gate(x)` is its update."""
        return self(x)

    @abstractmethod
    def macs(self, height: int, width: int) -> Macs:
        """Cost of one `forward` on one map of `height x width`."""

    def macs_of_call(self, inputs: tuple, output: Tensor) -> Macs:
        """Cost of a call of `forward` with these inputs, all maps of the batch."""
        (maps,) = inputs
        return maps.shape[0] * self.macs(*maps.shape[2:])
