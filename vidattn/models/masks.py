"""Which tokens an encoder sees of a clip in pre-training, drawn anew from a seed of the clip's own."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vidattn.grid import Grid
from vidattn.mistakes import Mistake
from vidattn.models.keep import Columns, Kept, Tokens


@dataclass(frozen=True)
class Mask(ABC):
    """Hides a share of each clip's tokens, the same number in every clip.

    Args:
        ratio: the share that is hidden, between 0 and 1.

    Raises:
        ValueError: `ratio` hides nothing, or everything.
    """

    ratio: float = 0.9

    def __post_init__(self) -> None:
        if not 0 < self.ratio < 1:
            raise Mistake(f"mask ratio={self.ratio} must lie between 0 (nothing hidden) and 1 (everything hidden)")

    @abstractmethod
    def keep(self, grid: Grid, seeds: Sequence[int]) -> Kept:
        """What is left to see of clips with the token grid `grid`, one clip for each seed.

        Raises:
            ValueError: so few places are there that nothing would be hidden, or everything.
        """

    def kept_of(self, number: int, what: str) -> int:
        """How many of `number` places are left: all but `floor(ratio * number)`, as VideoMAE counts.

        >>> TubeMask(0.9).kept_of(196, "places of a frame")
        20
        """
        hidden = math.floor(self.ratio * number + 1e-9)
        if not 0 < hidden < number:
            few = "nothing" if not hidden else "everything"
            fits = f"ratios from {1 / number:.2g} to below 1 do" if number > 1 else "take a longer or larger clip"
            raise Mistake(f"mask ratio={self.ratio} hides {few} of {number} {what}; {fits}")
        return number - hidden


class TubeMask(Mask):
    """The same places of all frames: what is hidden cannot be copied from the frame before.

    VideoMAE, https://arxiv.org/abs/2203.12602, section 3.3.
    """

    def keep(self, grid: Grid, seeds: Sequence[int]) -> Columns:
        """Columns, `(B, n)`."""
        return Columns(drawn(seeds, grid.locations, self.kept_of(grid.locations, "places of a frame")))


class RandomMask(Mask):
    """Any tokens of a clip, other places in each frame: for schemes that do not ask which frame a token is from.

    MAE for video, https://arxiv.org/abs/2205.09113, section 3 ("spacetime-agnostic").
    """

    def keep(self, grid: Grid, seeds: Sequence[int]) -> Tokens:
        """Tokens, `(B, m)`."""
        return Tokens(drawn(seeds, grid.num_video_tokens, self.kept_of(grid.num_video_tokens, "tokens of a clip")))


class FrameMask(Mask):
    """Whole frames of tokens, the frames before and after still there: the easiest to fill in.

    VideoMAE, https://arxiv.org/abs/2203.12602, section 3.3 and table 1b; again for joint and linear alone.
    """

    def keep(self, grid: Grid, seeds: Sequence[int]) -> Tokens:
        """All tokens of the frames that are left, `(B, m)`."""
        frames = drawn(seeds, grid.frames, self.kept_of(grid.frames, "frames of tokens"))
        return Tokens((frames[:, :, None] * grid.locations + torch.arange(grid.locations, device="cpu")).flatten(1))


def drawn(seeds: Sequence[int], number: int, wanted: int) -> Tensor:
    """`(B, wanted)` different numbers below `number`, rising; a row depends on its seed alone."""
    orders = [torch.randperm(number, generator=torch.Generator().manual_seed(seed), device="cpu") for seed in seeds]
    return torch.stack([order[:wanted].sort().values for order in orders]) if orders else torch.empty(0, wanted).long()
