"""What says where and when a token is: tables, added once before the first block, or a convolution after it."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidattn.attention.base import VideoAttention
from vidattn.attention.image.position_encoding import PositionalEncodingGenerator
from vidattn.attention.imported import named
from vidattn.attention.per_frame import PerFrame
from vidattn.attention.position_encoding import PositionalEncodingGenerator3D
from vidattn.grid import Grid
from vidattn.mistakes import Mistake


class PositionTable(nn.Module):
    """A learned vector for each location, and one for each prefix token; resized bicubically to other maps.

    Starts as unit-scale sine and cosine waves, one half of the width for rows and one for columns: trained from
    scratch, a table that starts near zero never tells positions apart (with std 0.02 a divided network stays at chance
    where the direction of a motion is the only cue).

    Args:
        dim: token width D.
        grid: the map of patches and the prefix that the table has; frames share them.
    """

    def __init__(self, dim: int, grid: Grid) -> None:
        super().__init__()
        self.native = grid._replace(frames=1)
        waves = map_waves(dim, grid.height, grid.width).flatten(0, 1)
        self.table = nn.Parameter(torch.cat((torch.zeros(grid.prefix, dim), waves))[None])

    def forward(self, grid: Grid) -> Tensor:
        """What is added to the tokens of a clip, `(1, S, D)`."""
        prefix, table = self.native.split(self.table)
        table = resized(table, 1, grid.height, grid.width)
        return grid.join(prefix, table.expand(-1, grid.frames, -1, -1, -1))


class MapTable(nn.Module):
    """The same as `PositionTable`, resized bilinearly: PVT's, https://arxiv.org/abs/2102.12122, in its code.

    Args:
        dim: token width D.
        grid: the map of patches and the prefix that the table has; frames share them.
    """

    def __init__(self, dim: int, grid: Grid) -> None:
        super().__init__()
        self.native = grid.with_sides(1, grid.height, grid.width)
        waves = map_waves(dim, grid.height, grid.width).flatten(0, 1)
        self.table = nn.Parameter(torch.cat((torch.zeros(grid.prefix, dim), waves))[None])

    def forward(self, grid: Grid) -> Tensor:
        """What is added to the tokens of a clip, `(1, S, D)`."""
        frame = grid.with_sides(1, grid.height, grid.width)
        prefix, places = frame.split(resized_bilinearly(self.table, self.native, frame))
        return grid.join(prefix, places.expand(-1, grid.frames, -1, -1, -1))


class TimeTable(nn.Module):
    """A learned vector for each frame of tokens; resized linearly to other lengths. Prefix tokens have no time.

    Starts as unit-scale sine and cosine waves, for the same reason as `PositionTable`.

    Args:
        dim: token width D.
        grid: the frames that the table has.
    """

    def __init__(self, dim: int, grid: Grid) -> None:
        super().__init__()
        self.table = nn.Parameter(sine_cosine(grid.frames, dim)[None])

    def forward(self, grid: Grid) -> Tensor:
        """What is added to the tokens of a clip, `(1, S, D)`."""
        table = resized(self.table[:, :, None, None], grid.frames, 1, 1)
        prefix = table.new_zeros(1, grid.prefix, table.shape[-1])
        return grid.join(prefix, table.expand(-1, -1, grid.height, grid.width, -1))


class TokenTable(nn.Module):
    """A learned vector for each token of the clip, prefix included; resized to other clips, see `resized`.

    ViViT, https://arxiv.org/abs/2103.15691, section 3.1. Starts as `PositionTable` and `TimeTable` together do.

    Args:
        dim: token width D.
        grid: the tokens that the table has.
    """

    def __init__(self, dim: int, grid: Grid) -> None:
        super().__init__()
        self.native = grid
        waves = map_waves(dim, grid.height, grid.width) + sine_cosine(grid.frames, dim)[:, None, None]
        self.table = nn.Parameter(torch.cat((torch.zeros(grid.prefix, dim), waves.flatten(0, 2)))[None])

    def forward(self, grid: Grid) -> Tensor:
        """What is added to the tokens of a clip, `(1, S, D)`."""
        prefix, video = self.native.split(self.table)
        return grid.join(prefix, resized(video, *grid.sides()))


class SineTable(nn.Module):
    """A fixed vector for each token: sines and cosines of its number in the stream; no parameters.

    VideoMAE, https://arxiv.org/abs/2203.12602, in its code: Attention Is All You Need's table,
    https://arxiv.org/abs/1706.03762, section 3.5 (sines at even components, cosines at odd ones, temperature 10000),
    over the clip's tokens in one row. Prefix tokens, which VideoMAE has none of, get zeros. For other clips the table
    is resized, see `resized`: counted anew, the numbers of all tokens would change.

    Args:
        dim: token width D.
        grid: the tokens that the table has.
    """

    table: Tensor

    def __init__(self, dim: int, grid: Grid) -> None:
        super().__init__()
        self.native = grid._replace(prefix=0)
        frequencies = 10000.0 ** (-2 * (torch.arange(dim) // 2).double() / dim)
        angles = torch.arange(grid.num_video_tokens).double()[:, None] * frequencies
        waves = torch.where(torch.arange(dim) % 2 == 0, angles.sin(), angles.cos())
        self.register_buffer("table", waves.float()[None], persistent=False)

    def forward(self, grid: Grid) -> Tensor:
        """What is added to the tokens of a clip, `(1, S, D)`."""
        _, video = self.native.split(self.table)
        prefix = video.new_zeros(1, grid.prefix, video.shape[-1])
        return grid.join(prefix, resized(video, *grid.sides()))


class NoTable(nn.Module):
    """Nothing: tokens do not know where they are, unless a part of the network tells them.

    Args:
        dim: token width D, which makes no difference.
        grid: the clip's tokens, which make none either.
    """

    def __init__(self, dim: int, grid: Grid) -> None:
        super().__init__()

    def forward(self, grid: Grid) -> Tensor:
        """A zero, `()`."""
        return torch.zeros(())


POSITIONS: dict[str, tuple[type[nn.Module], type[nn.Module]]] = {
    "space+time": (PositionTable, TimeTable),
    "token": (TokenTable, NoTable),
    "sine": (SineTable, NoTable),
    "map": (MapTable, NoTable),
    "none": (NoTable, NoTable),
}
"""What a network knows of a token's place: a table, and one more for time. The name is what a configuration gives."""


def peg(dim: int) -> VideoAttention:
    """CPVT's positional encoding generator, on each frame."""
    return PerFrame(PositionalEncodingGenerator(dim))


def tables_named(name: str) -> tuple[type[nn.Module], type[nn.Module]]:
    """The tables of this name; or, the class at this import path, made of `(dim, grid)` and alone, whose
    `forward(grid)` gives what is added to the tokens of a clip, `(1, S, D)`.

    Raises:
        ValueError: there are none.
    """
    found = named(name, POSITIONS, "position")
    if name in POSITIONS:
        return found
    if not (isinstance(found, type) and issubclass(found, nn.Module)):
        raise Mistake(f"position={name!r} is no module that is made of a width and a grid")
    return found, NoTable


CONDITIONAL_POSITIONS: dict[str, tuple[Callable[[int], VideoAttention], ...]] = {
    "none": (),
    "peg": (peg,),
    "peg3d": (PositionalEncodingGenerator3D,),
}
"""What follows the first block, by the name that a configuration gives; all take the width first."""


def resized(table: Tensor, frames: int, height: int, width: int) -> Tensor:
    """A table `(1, T, H, W, D)` for another clip: bicubic in space, then linear in time; itself if nothing changes.

    A table in half precision is resized in fp32 and rounded once.
    """
    if stays(table.shape[1:4], (frames, height, width)):
        return table
    stored = table.dtype
    table = table.to(torch.promote_types(stored, torch.float32))
    if not stays(table.shape[2:4], (height, width)):
        maps = table.squeeze(0).permute(0, 3, 1, 2)  # (T, D, H, W)
        maps = F.interpolate(maps, (height, width), mode="bicubic", align_corners=False)
        table = maps.permute(0, 2, 3, 1)[None]
    if not stays(table.shape[1:2], (frames,)):
        times = table.flatten(2).mT  # (1, H * W * D, T)
        times = F.interpolate(times, frames, mode="linear", align_corners=False).mT
        table = times.unflatten(2, table.shape[2:])
    return table.to(stored)


def resized_bilinearly(table: Tensor, before: Grid, after: Grid) -> Tensor:
    """A table `(1, P + N, D)` of one frame for another map; itself if nothing changes. The prefix's vectors stay.

    A table in half precision is resized in fp32 and rounded once.
    """
    if stays(before.sides(), after.sides()):
        return table
    prefix, places = before.split(table)
    maps = places.squeeze(1).movedim(-1, 1).to(torch.promote_types(table.dtype, torch.float32))
    maps = F.interpolate(maps, (after.height, after.width), mode="bilinear", align_corners=False)
    return torch.cat((prefix, maps.flatten(2).mT.to(table.dtype)), dim=1)


def stays(before: Sequence[int], after: Sequence[int]) -> bool:
    """Whether lengths are the same. In an export a length that is open is not: resizing then asks for none, and to the
    same length it changes nothing."""
    opened = torch.compiler.is_exporting() and any(isinstance(length, torch.SymInt) for length in after)
    return not opened and tuple(before) == tuple(after)


def map_waves(dim: int, height: int, width: int) -> Tensor:
    """`(height, width, dim)`: waves of the row in the first half of the width, of the column in the second."""
    rows = sine_cosine(height, dim // 2)[:, None].expand(-1, width, -1)
    columns = sine_cosine(width, dim - dim // 2).expand(height, -1, -1)
    return torch.cat((rows, columns), dim=-1)


def sine_cosine(positions: int, dim: int, temperature: float = 30.0) -> Tensor:
    """`(positions, dim)`: sines of the position at falling frequencies, then cosines; amplitude 1.

    Attention Is All You Need, https://arxiv.org/abs/1706.03762, section 3.5, but with a temperature of 30 in place of
    10000: frames, rows and columns count in tens, and slower waves would hardly tell them apart. An odd last
    component is zero.

    >>> sine_cosine(2, 2)
    tensor([[0.0000, 1.0000],
            [0.8415, 0.5403]])
    """
    half = dim // 2
    frequencies = temperature ** (-torch.arange(half, dtype=torch.float64) / max(half, 1))
    angles = torch.arange(positions, dtype=torch.float64)[:, None] * frequencies
    waves = torch.cat((angles.sin(), angles.cos(), torch.zeros(positions, dim - 2 * half)), dim=-1)
    return waves.float()
