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
        if head_dim < 6:
            raise Mistake(f"rotary positions turn 3 pairs of components: a head of {head_dim} is narrower than 6")
        self.pairs = head_dim // 6  # of each axis

    def forward(self, q: Tensor, k: Tensor, row: Grid) -> tuple[Tensor, Tensor]:
        """Queries and keys `(G, n, heads, d)` of rows of tokens that lie on `row` -> the same shapes."""
        dtype = torch.promote_types(q.dtype, torch.float32)  # bf16 cannot count to 257
        places = row.positions(q.device).clamp(min=0).to(dtype)  # (n, 3), or (G, n, 3) where each row has its own
        frequencies = 10000 ** (-torch.arange(self.pairs, device=q.device, dtype=dtype) / self.pairs)
        angles = (places[..., None] * frequencies).flatten(-2)[..., None, :]  # (n, 1, 3 * pairs), for all heads
        cosine, sine = angles.cos(), angles.sin()
        return turned(q, cosine, sine), turned(k, cosine, sine)


def turned(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """`x` with pair i of neighbouring components turned by angle i; components without an angle stay."""
    end = 2 * cosine.shape[-1]
    a, b = x[..., :end].unflatten(-1, (-1, 2)).unbind(-1)
    pairs = torch.stack((a * cosine - b * sine, a * sine + b * cosine), dim=-1)
    return torch.cat((pairs.flatten(-2).to(x.dtype), x[..., end:]), dim=-1)


QUERY_KEYS: dict[str, tuple[type[nn.Module], ...]] = {
    "plain": (),
    "norm": (QueryKeyNorm,),
    "rotary": (Rotary3D,),
    "norm+rotary": (QueryKeyNorm, Rotary3D),
}
"""What queries and keys go through, in order, by the name that a configuration gives."""
