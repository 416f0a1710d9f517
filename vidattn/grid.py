"""The shape of a token stream: prefix tokens, then frames x rows x columns."""

from typing import NamedTuple

import torch
from torch import Tensor, cat


class Grid(NamedTuple):
    """How the `S` tokens of a stream `(B, S, D)` are laid out: `S = prefix + frames * height * width`.

    The prefix (class token, registers, or nothing) comes first; video tokens follow, time slowest, then rows,
    then columns (`t h w`, as ViViT and VideoMAE; TimeSformer's own code has time fastest).

    Of a clip some of whose tokens are left out, `places` says where those lie that are left: kept locations are the
    columns of a map of one row, `Grid(T, 1, n)`; kept tokens of a clip are a single row, `Grid(1, 1, m)`.

    >>> Grid(frames=8, height=14, width=14).num_tokens
    1569
    """

    frames: int
    height: int
    width: int
    prefix: int = 1
    places: Tensor | None = None  # (B, M, 3): frame, row and column in the whole clip; None where all are here

    @property
    def locations(self) -> int:
        """Tokens of one frame, `N = height * width`."""
        return self.height * self.width

    @property
    def num_video_tokens(self) -> int:
        """Tokens without the prefix, `M = T * N`."""
        return self.frames * self.height * self.width

    @property
    def num_tokens(self) -> int:
        """All tokens, `S = P + M`."""
        return self.prefix + self.num_video_tokens

    def sides(self) -> tuple[int, int, int]:
        """Frames, rows and columns, `(T, H, W)`. A method, as torch 2.8 compiles neither a property nor `grid[:3]`."""
        return self.frames, self.height, self.width

    def with_sides(self, frames: int, height: int, width: int) -> "Grid":
        """The grid of other sides with the same prefix; `_replace` does not compile on torch 2.8."""
        return Grid(frames, height, width, self.prefix)

    def frame(self) -> "Grid":
        """The grid of one frame with its own copy of the prefix, where frames lie in the batch: `(B * T, P + N, D)`."""
        places = self.places
        if places is not None:
            places = places.unflatten(1, (self.frames, -1)).flatten(0, 1)
        return Grid(1, self.height, self.width, self.prefix, places)

    def positions(self, device: torch.device | None = None) -> Tensor:
        """Frame, row and column of each token, `(S, 3)` integers, or `(B, S, 3)` where clips keep different ones; -1
        for prefix tokens, which have none.

        >>> Grid(frames=1, height=1, width=2).positions().tolist()
        [[-1, -1, -1], [0, 0, 0], [0, 0, 1]]
        """
        if self.places is not None:
            return cat((self.places.new_full((self.places.shape[0], self.prefix, 3), -1), self.places), dim=1)
        axes = (torch.arange(length, device=device) for length in (self.frames, self.height, self.width))
        video = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1).flatten(0, 2)
        return cat((video.new_full((self.prefix, 3), -1), video))

    def split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """`(B, S, D)` -> prefix `(B, P, D)` and video `(B, T, H, W, D)`; both are views."""
        video = x[:, self.prefix :].unflatten(1, (self.frames, self.height, self.width))
        return x[:, : self.prefix], video

    def join(self, prefix: Tensor, video: Tensor) -> Tensor:
        """Prefix `(B, P, D)` and video `(B, T, H, W, D)` -> `(B, S, D)`."""
        video = video.flatten(1, 3)
        return cat((prefix, video), dim=1) if self.prefix else video
