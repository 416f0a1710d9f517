"""What every attention in this package is: a small module with a `forward` and, beside it, its price."""

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from vidattn.grid import Grid
from vidattn.macs import Macs


class VideoAttention(nn.Module, ABC):
    """One residual step over a video's tokens: takes the normed stream, returns the update (never `x + update`).

    Subclasses take the token width `dim` first and `num_heads` second, so that a scheme can build them.

    Attributes:
        scores_tokens: whether all scores are of a token's query with a token's key, from `Heads.project` or `across`:
            what a configuration's `query_key` then does to them has a meaning.
        moves_prefix: whether prefix tokens get an update; zeros otherwise.
    """

    scores_tokens: ClassVar[bool] = False
    moves_prefix: ClassVar[bool] = True

    @abstractmethod
    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """`(B, S, D)` -> `(B, S, D)`, with `S = grid.num_tokens`."""

    @abstractmethod
    def macs(self, grid: Grid) -> Macs:
        """Cost of one `forward` on one clip."""


class ImageAttention(nn.Module, ABC):
    """A shape-preserving 2D block over feature maps; the channel width comes first in its constructor.

    `forward` is the block as its paper draws it. Some papers draw the residual inside, most outside: `update` is
    what all of them add to a residual stream.
    """

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, H, W)` -> `(B, C, H, W)`."""

    def update(self, x: Tensor) -> Tensor:
        """The output; less the input where the paper's block is `x + update`. A gate `x * gate(x)` is its update."""
        return self(x)

    @abstractmethod
    def macs(self, height: int, width: int) -> Macs:
        """Cost of one `forward` on one map of `height x width`."""
