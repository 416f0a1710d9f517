"""How queries look at a clip's tokens: a part of the query decoder that can be exchanged."""

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor, nn

from vidattn.attention.heads import attend, heads_of
from vidattn.attention.parts import VIT, Parts
from vidattn.grid import Grid
from vidattn.macs import Macs
from vidattn.models.tubes import waves


class CrossAttention(nn.Module, ABC):
    """Queries with boxes look at the tokens of their clip; returns the update, never `queries + update`. Abstract.

    Args:
        dim: width D of queries and tokens.
        num_heads: number of heads; D / 64 by default.
        num_boxes: K, boxes of each query.
        parts: what its layers are made of.

    Attributes:
        by_weights: whether it hands out a weight for each token, see `weights`.
    """

    by_weights: ClassVar[bool] = False

    def __init__(self, dim: int, num_heads: int | None = None, num_boxes: int = 1, *, parts: Parts = VIT) -> None:
        super().__init__()
        self.dim, self.num_heads, self.num_boxes = dim, heads_of(dim, num_heads), num_boxes

    @abstractmethod
    def forward(self, queries: Tensor, boxes: Tensor, times: Tensor, tokens: Tensor) -> Tensor:
        """What each query takes of the clip, `(B, Q, D)`.

        Args:
            queries: `(B, Q, D)`, their positions added.
            boxes: `(B, Q, K, 4)`, centre and size in fractions of the picture; no gradient goes back through them.
            times: `(K,)`, when these boxes are, in fractions of the clip.
            tokens: `(B, T, h, w, D)`.
        """

    @abstractmethod
    def macs(self, queries: int, grid: Grid) -> Macs:
        """Cost of one `forward` on one clip, of whose tokens the prefix takes no part."""

    def macs_of_call(self, inputs: tuple, output: Tensor) -> Macs:
        """Cost of a call of `forward` with these inputs, all clips of the batch."""
        queries, _, _, tokens = inputs
        clips, frames, height, width, _ = tokens.shape
        return clips * self.macs(queries.shape[1], Grid(frames, height, width, 0))


class DenseCrossAttention(CrossAttention):
    """Each query attends to all tokens, with a bell around its box at the time of each token.

    DETR's cross-attention, https://arxiv.org/abs/2005.12872, with the bells of SMCA, https://arxiv.org/abs/2101.07448,
    section 3.2, without which it takes ten times as long to learn where to look: to the scores a head adds
    `-(dx^2 / 2 s_x^2 + dy^2 / 2 s_y^2)`, where `dx` and `dy` reach from the token to a centre near the box's, and `s`
    is about half the box; query and head say how near and how wide. Between asked frames the box goes in a straight
    line, before the first and behind the last it rests. Keys know where and when they are by waves that are added.

    Args:
        dim: width D of queries and tokens.
        num_heads: number of heads; D / 64 by default.
        num_boxes: K, boxes of each query.
        parts: what its layers are made of.

    Raises:
        ValueError: `dim` is not a multiple of `num_heads`.
    """

    by_weights = True

    def __init__(self, dim: int, num_heads: int | None = None, num_boxes: int = 1, *, parts: Parts = VIT) -> None:
        super().__init__(dim, num_heads, num_boxes, parts=parts)
        self.q, self.k, self.v = (parts.linear(dim, dim) for _ in range(3))
        self.bells = nn.Linear(dim, 4 * self.num_heads)  # of each head: shift to the right and down, and two widths
        self.proj = parts.linear(dim, dim)
        nn.init.zeros_(self.bells.weight)
        with torch.no_grad():
            self.bells.bias.copy_(torch.cat((around(self.num_heads) / 2, torch.zeros(self.num_heads, 2)), 1).flatten())

    def forward(self, queries: Tensor, boxes: Tensor, times: Tensor, tokens: Tensor) -> Tensor:
        """`(B, Q, D)` -> `(B, Q, D)`; see `CrossAttention.forward`."""
        q, k, bias = self._scored(queries, boxes, times, tokens)
        v = self.v(tokens.flatten(1, 3)).unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
        return self.proj(attend(q, k, v, bias).transpose(1, 2).flatten(2))

    def weights(self, queries: Tensor, boxes: Tensor, times: Tensor, tokens: Tensor) -> Tensor:
        """How much each query takes of each token, the mean over the heads, `(B, Q, T, h, w)`."""
        q, k, bias = self._scored(queries, boxes, times, tokens)
        scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1) + bias
        return scores.softmax(-1).mean(1).unflatten(-1, tokens.shape[1:4])

    def _scored(self, queries: Tensor, boxes: Tensor, times: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        places = centers_of(tokens)
        per_axis = self.dim // 6 * 2  # of time, column and row; what is left of the width gets zeros
        table = waves(places, per_axis).to(tokens.dtype)
        table = torch.cat((table, table.new_zeros(*table.shape[:-1], self.dim - table.shape[-1])), dim=-1)
        q, k = self.q(queries), self.k((tokens + table).flatten(1, 3))
        q, k = (one.unflatten(-1, (self.num_heads, -1)).transpose(1, 2) for one in (q, k))
        return q, k, self.bell(queries, boxes, times, places)

    def bell(self, queries: Tensor, boxes: Tensor, times: Tensor, places: Tensor) -> Tensor:
        """What is added to the scores, `(B, heads, Q, T h w)`.

        Args:
            queries: `(B, Q, D)`.
            boxes: `(B, Q, K, 4)`.
            times: `(K,)`.
            places: `(T, h, w, 3)`, time, x and y of each token.
        """
        shift, width = self.bells(queries).float().unflatten(-1, (self.num_heads, 2, 2)).unbind(-2)
        moving = between(boxes, times, places[:, 0, 0, 0].contiguous())[:, :, None]  # (B, Q, 1, T, 4)
        half = moving[..., 2:] / 2
        middle = moving[..., :2] + shift[:, :, :, None] * half  # (B, Q, heads, T, 2)
        least = half.new_tensor((0.5 / places.shape[2], 0.5 / places.shape[1]))  # half a token is always in reach
        reach = torch.maximum(half, least) * width.clamp(-4, 4).exp()[:, :, :, None]
        x = ((places[0, 0, :, 1] - middle[..., :1]) / reach[..., :1]).square()  # (B, Q, heads, T, w)
        y = ((places[0, :, 0, 2] - middle[..., 1:]) / reach[..., 1:]).square()  # (B, Q, heads, T, h)
        return -(x[..., None, :] + y[..., None]).flatten(3).transpose(1, 2) / 2

    def macs(self, queries: int, grid: Grid) -> Macs:
        """`2 Q D^2 + 2 M D^2 + 4 Q D heads` in projections, `2 Q M D` in attention, of M tokens."""
        tokens = grid.num_video_tokens
        linear = 2 * (queries + tokens) * self.dim**2 + queries * self.bells.weight.numel()
        return Macs(linear=linear, attention=2 * queries * tokens * self.dim)


def around(count: int) -> Tensor:
    """Directions `(count, 2)`, evenly around; the longer side of each is 1."""
    angles = torch.arange(count) * (2 * torch.pi / count)
    directions = torch.stack((angles.cos(), angles.sin()), dim=-1)
    return directions / directions.abs().amax(-1, keepdim=True)


def centers_of(tokens: Tensor) -> Tensor:
    """Time, x and y of the middle of each token of `(B, T, h, w, D)`, in fractions of the clip: `(T, h, w, 3)`."""
    t, y, x = ((torch.arange(side, device=tokens.device) + 0.5) / side for side in tokens.shape[1:4])
    t, y, x = torch.meshgrid(t, y, x, indexing="ij")
    return torch.stack((t, x, y), dim=-1)


def between(boxes: Tensor, times: Tensor, wanted: Tensor) -> Tensor:
    """Boxes `(B, Q, K, 4)` of these `times` `(K,)` at others `(T,)`, `(B, Q, T, 4)`: in straight lines between two,
    the nearest beyond them."""
    if len(times) == 1:
        return boxes.expand(-1, -1, len(wanted), -1)
    after = (times < wanted[:, None]).sum(1).clamp(1, len(times) - 1)  # a searchsorted that ONNX knows
    before = after - 1
    share = ((wanted - times[before]) / (times[after] - times[before])).clamp(0, 1)[:, None]
    return boxes[:, :, before] * (1 - share) + boxes[:, :, after] * share
