"""Some of a clip's tokens in place of all: what an encoder sees of a masked clip."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from vidattn.grid import Grid
from vidattn.mistakes import Mistake
from vidattn.models.embeddings import PatchEmbedding, TubeletEmbedding


@dataclass(frozen=True)
class Kept(ABC):
    """Which tokens of each clip are kept, and how to pick them out of what has a row for every token.

    Args:
        places: integers `(B, n)`, numbers of what is kept of each clip; each once.

    Raises:
        ValueError: they are of another shape or type.
    """

    leaves_out: ClassVar[bool] = True
    """Whether the network's blocks see fewer tokens."""

    places: Tensor

    def __post_init__(self) -> None:
        if self.places.ndim != 2 or self.places.shape[1] < 1 or self.places.dtype not in (torch.int64, torch.int32):
            raise Mistake(
                f"keep of shape {tuple(self.places.shape)} and type {self.places.dtype}; wanted whole numbers "
                "(batch, n), the places that are kept of each clip, at least one"
            )

    @abstractmethod
    def take(self, video: Tensor) -> Tensor:
        """`(B, T, h, w, C)`, or `(1, ...)` for all clips -> what is kept of it, laid out as `grid` says."""

    @abstractmethod
    def grid(self, whole: Grid) -> Grid:
        """The grid of the tokens that are kept of a clip with the grid `whole`.

        Raises:
            ValueError: a place lies outside the clip.
        """

    @abstractmethod
    def tokens(self, whole: Grid) -> Tensor:
        """Numbers of the clip's tokens that are kept, `(B, m)`, counted along frames, then rows, then columns."""

    def hidden(self, whole: Grid) -> Tensor:
        """Numbers of the others, `(B, M - m)`, rising."""
        seen = self.tokens(whole)
        out = torch.ones(len(seen), whole.num_video_tokens, dtype=torch.int8, device=seen.device)
        out = out.scatter(1, seen.long(), 0)
        return out.argsort(dim=1, descending=True, stable=True)[:, : whole.num_video_tokens - seen.shape[1]]

    def embed(self, patch: PatchEmbedding | TubeletEmbedding, video: Tensor) -> Tensor:
        """Clips `(B, 3, T, H, W)` through the patch embedding, laid out as `grid` says; of what is kept only."""
        return patch.project(self.take(patch.cut(video)))

    def take_table(self, table: Tensor, whole: Grid) -> Tensor:
        """What is added to all tokens, `(1, S, D)` or a number for all -> what is added to those that are kept."""
        if not table.ndim:
            return table
        prefix, video = whole.split(table)
        return self.grid(whole).join(prefix.expand(self.places.shape[0], -1, -1), self.take(video))

    def _positions(self, whole: Grid) -> Tensor:
        _, positions = whole._replace(prefix=0).split(whole._replace(prefix=0).positions(self.places.device)[None])
        return self.take(positions).flatten(1, 3)

    def _check(self, number: int, of: str) -> None:
        # On a GPU this look would make the CPU wait; there an index out of range ends the kernel.
        if self.places.device.type == "cpu" and not ((self.places >= 0) & (self.places < number)).all():
            low, high = int(self.places.min()), int(self.places.max())
            raise Mistake(f"keep has places {low} to {high}, outside the {number} {of}")


class Columns(Kept):
    """The same locations in every frame of a clip, a tube: `places` count along rows, then columns of the map.

    VideoMAE, https://arxiv.org/abs/2203.12602, section 3.3. What is kept is a grid again, of T frames with one row.
    """

    def take(self, video: Tensor) -> Tensor:
        """`(B, T, h, w, C)` -> `(B, T, 1, n, C)`."""
        return torch.take_along_dim(video.flatten(2, 3), self.places[:, None, :, None].long(), dim=2).unsqueeze(2)

    def tokens(self, whole: Grid) -> Tensor:
        """The places in every frame, frame by frame."""
        frames = torch.arange(whole.frames, device=self.places.device) * whole.locations
        return (frames[:, None] + self.places[:, None]).flatten(1)

    def grid(self, whole: Grid) -> Grid:
        """T frames of one row of n tokens."""
        self._check(whole.locations, "locations of a frame")
        return Grid(whole.frames, 1, self.places.shape[1], whole.prefix, self._positions(whole))

    def per_frame(self, frames: int) -> "Columns":
        """The same for each frame on its own, `(B * T, n)`."""
        return Columns(self.places.repeat_interleave(frames, dim=0))


class Tokens(Kept):
    """Any tokens of a clip: `places` count along frames, then rows, then columns. For schemes that do not ask which
    frame a token is from."""

    def take(self, video: Tensor) -> Tensor:
        """`(B, T, h, w, C)` -> `(B, 1, 1, m, C)`."""
        return rows_at(video.flatten(1, 3), self.places)[:, None, None]

    def tokens(self, whole: Grid) -> Tensor:
        """The places."""
        return self.places

    def grid(self, whole: Grid) -> Grid:
        """One row of m tokens."""
        self._check(whole.num_video_tokens, "tokens of a clip")
        return Grid(1, 1, self.places.shape[1], whole.prefix, self._positions(whole))


@dataclass(frozen=True)
class MaskTokens(Kept):
    """The whole grid, on which one learnt vector stands for every token that is not among `places`, counted as in
    `Tokens`: for schemes that need the map.

    SimMIM, https://arxiv.org/abs/2111.09886, section 3.1.

    Args:
        places: integers `(B, m)`, numbers of the tokens that the network sees.
        token: `(D,)`, what stands for the others, before positions are added.
    """

    leaves_out: ClassVar[bool] = False

    token: Tensor

    def take(self, video: Tensor) -> Tensor:
        """All of it."""
        return video

    def tokens(self, whole: Grid) -> Tensor:
        """The places."""
        return self.places

    def grid(self, whole: Grid) -> Grid:
        """The whole grid."""
        self._check(whole.num_video_tokens, "tokens of a clip")
        return whole

    def embed(self, patch: PatchEmbedding | TubeletEmbedding, video: Tensor) -> Tensor:
        """`(B, 3, T, H, W)` -> `(B, T, h, w, D)`, hidden tokens replaced."""
        tokens = patch(video)
        seen = torch.zeros(tokens.shape[0], tokens[0, ..., 0].numel(), dtype=torch.bool, device=tokens.device)
        seen = seen.scatter(1, self.places.long(), True).view(tokens.shape[:-1])
        return torch.where(seen[..., None], tokens, self.token.to(tokens.dtype))

    def take_table(self, table: Tensor, whole: Grid) -> Tensor:
        """All of it."""
        return table


def rows_at(values: Tensor, places: Tensor) -> Tensor:
    """`(B, M, C)`, or `(1, M, C)` for all clips, and numbers `(B, m)` below M -> those rows, `(B, m, C)`.

    Whole rows are copied, several times as fast as by `torch.take_along_dim`, which asks for each number by itself.
    """
    if len(values) == 1:
        return values[0, places]
    first = torch.arange(len(values), device=places.device)[:, None] * values.shape[1]
    return values.flatten(0, 1).index_select(0, (places + first).flatten()).unflatten(0, places.shape)


def kept(keep: Kept | Tensor | None) -> Kept | None:
    """What is kept; a bare tensor `(B, n)` means columns."""
    return Columns(keep) if isinstance(keep, Tensor) else keep


def grid_of(whole: Grid, keep: Kept | None) -> Grid:
    """The grid of what is kept of a clip with the grid `whole`; that itself by default."""
    return whole if keep is None else keep.grid(whole)
