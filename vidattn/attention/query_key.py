"""What is done to queries and keys between the projection and the scores."""

import torch
from torch import Tensor, nn

from vidattn.attention.parts import Norm, layer_norm
from vidattn.grid import Grid
from vidattn.mistakes import Mistake


class QueryKeyNorm(nn.Module):
    """A LayerNorm over each head's queries and another over its keys, so that scores cannot grow without bound.

    Scaling Vision Transformers to 22 Billion Parameters, https://arxiv.org/abs/2302.05442, section 2. The heads share
    the norms' weights.

    Args:
        head_dim: width d of a head.
        norm: makes the two norms.
    """

    def __init__(self, head_dim: int, norm: Norm = layer_norm) -> None:
        super().__init__()
        self.query = norm(head_dim, 1e-6)
        self.key = norm(head_dim, 1e-6)

    def forward(self, q: Tensor, k: Tensor, row: Grid) -> tuple[Tensor, Tensor]:
        """Queries and keys `(G, n, heads, d)` -> the same shapes."""
        return self.query(q).to(q.dtype), self.key(k).to(k.dtype)


class Rotary3D(nn.Module):
    """Queries and keys are turned by their token's frame, row and column: scores then know how far apart tokens are.

    RoFormer, https://arxiv.org/abs/2104.09864, equation 15, with temperature 10000; three axes as in V-JEPA 2,
    https://arxiv.org/abs/2506.09985, section 2.1: a third of the head's width turns with each of time, height and width
    (rounded down to even; the rest does not turn). Neighbouring components make a pair.

    Prefix tokens have no place and are not turned. To them a key's place within its row of tokens is absolute.

    Positions are counted within a row of tokens that attend to one another, as only differences matter: along time
    alone in `time`, from the quadrant's corner in `local`, in its own steps of two tokens in `global`.

    Args:
        head_dim: width d of a head, at least 6.
        norm: offered to every such part; there is none here.

    Raises:
        ValueError: a head has fewer than 6 components, two for each axis.
    """

    def __init__(self, head_dim: int, norm: Norm = layer_norm) -> None:
        super().__init__()
        self.pairs = pairs_of(head_dim)

    def forward(self, q: Tensor, k: Tensor, row: Grid) -> tuple[Tensor, Tensor]:
        """Queries and keys `(G, n, heads, d)` of rows of tokens that lie on `row` -> the same shapes."""
        turns = angles(self.places(row, q), self.pairs).flatten(-2)[..., None, :]  # (n, 1, 3 * pairs), for all heads
        cosine, sine = turns.cos(), turns.sin()
        return turned(q, cosine, sine), turned(k, cosine, sine)

    def places(self, row: Grid, like: Tensor) -> Tensor:
        """Where the tokens of `row` lie, on the device and in the type of `like`."""
        return places_of(row, like)


class ScaledRotary3D(Rotary3D):
    """`Rotary3D` on a map of any size as if it had 16 rows and 16 columns: rows are 15 / (H - 1) apart, columns
    15 / (W - 1). Frames are counted.

    V-JEPA 2.1, https://arxiv.org/abs/2603.14482 (`interpolate_rope` in its code). One row, or one column, stands at 0:
    there the official code divides by zero and gives no answer (NaN).

    The map is that of a row of tokens that attend to one another: a window is stretched like a frame. Of a clip some of
    whose places are left out nothing tells how large its map is.

    Args:
        head_dim: width d of a head, at least 6.
        norm: offered to every such part; there is none here.

    Raises:
        ValueError: a head has fewer than 6 components, two for each axis.
    """

    def places(self, row: Grid, like: Tensor) -> Tensor:
        """Where the tokens of `row` lie on a map of 16 rows and columns."""
        apart = (1.0, *(SPAN / (side - 1) if side > 1 else 0.0 for side in (row.height, row.width)))
        places = places_of(row, like)
        return places * places.new_tensor(apart)


class TiledRotary3D(nn.Module):
    """Rotary positions as V-JEPA 2's weights learnt them, which no rotation is: components and angles are not paired.

    https://arxiv.org/abs/2506.09985, in its code (`src/models/utils/modules.py` says of it that it is kept for the
    weights' sake): of the two components that `Rotary3D` turns by one angle each takes another, component j of an axis
    the angle of frequency j modulo the number of pairs. So scores depend on where a token is, not on how far apart two
    are alone, and are V-JEPA 2's in steps that see the whole clip at once, as `joint`; elsewhere positions count from
    the beginning of a row.

    Args:
        head_dim: width d of a head, at least 6.
        norm: offered to every such part; there is none here.

    Raises:
        ValueError: a head has fewer than 6 components, two for each axis.
    """

    def __init__(self, head_dim: int, norm: Norm = layer_norm) -> None:
        super().__init__()
        self.pairs = pairs_of(head_dim)

    def forward(self, q: Tensor, k: Tensor, row: Grid) -> tuple[Tensor, Tensor]:
        """Queries and keys `(G, n, heads, d)` of rows of tokens that lie on `row` -> the same shapes."""
        turns = angles(places_of(row, q), self.pairs)
        tiled = torch.cat((turns, turns), dim=-1).flatten(-2)[..., None, :]  # (n, 1, 6 * pairs)
        cosine, sine = tiled.cos(), tiled.sin()
        return self.mixed(q, cosine, sine), self.mixed(k, cosine, sine)

    def mixed(self, x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        """`x` times the cosines, and what a quarter turn makes of its pairs times the sines."""
        end = cosine.shape[-1]
        a, b = x[..., :end].unflatten(-1, (-1, 2)).unbind(-1)
        quarter = torch.stack((-b, a), dim=-1).flatten(-2)
        return torch.cat(((x[..., :end] * cosine + quarter * sine).to(x.dtype), x[..., end:]), dim=-1)


def pairs_of(head_dim: int) -> int:
    """Pairs of components that turn with each axis.

    Raises:
        ValueError: a head has fewer than 6 components, two for each axis.
    """
    if head_dim < 6:
        raise Mistake(f"rotary positions turn 3 pairs of components: a head of {head_dim} is narrower than 6")
    return head_dim // 6


def places_of(row: Grid, x: Tensor) -> Tensor:
    """Frame, row and column of each token, `(n, 3)`, or `(G, n, 3)` where each row of tokens has its own; prefix tokens
    stand at the beginning. Of a type that can count them: bf16 cannot count to 257."""
    return row.positions(x.device).clamp(min=0).to(torch.promote_types(x.dtype, torch.float32))


def angles(places: Tensor, pairs: int) -> Tensor:
    """`(..., 3)` -> `(..., 3, pairs)`: each place times falling frequencies."""
    steps = torch.arange(pairs, device=places.device, dtype=places.dtype) / pairs
    return places[..., None] * 10000**-steps


def turned(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """`x` with pair i of neighbouring components turned by angle i; components without an angle stay."""
    end = 2 * cosine.shape[-1]
    a, b = x[..., :end].unflatten(-1, (-1, 2)).unbind(-1)
    pairs = torch.stack((a * cosine - b * sine, a * sine + b * cosine), dim=-1)
    return torch.cat((pairs.flatten(-2).to(x.dtype), x[..., end:]), dim=-1)


SPAN = 15
"""From the first row or column to the last, where these are scaled: of V-JEPA 2.1's pre-training at 256 pixels."""

NEED_MAP = (ScaledRotary3D,)
"""Those that ask how large the map is, so that no places can be left out."""

QUERY_KEYS: dict[str, tuple[type[nn.Module], ...]] = {
    "plain": (),
    "norm": (QueryKeyNorm,),
    "rotary": (Rotary3D,),
    "norm+rotary": (QueryKeyNorm, Rotary3D),
    "tiled_rotary": (TiledRotary3D,),
    "scaled_rotary": (ScaledRotary3D,),
}
"""What queries and keys go through, in order, by the name that a configuration gives."""
