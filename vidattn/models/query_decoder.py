"""From a clip's tokens to people: each of some queries finds one, its boxes over time and what it does."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from vidattn.attention.parts import Parts, linear
from vidattn.checks import check_positive
from vidattn.grid import Grid
from vidattn.macs import Macs
from vidattn.mistakes import Mistake
from vidattn.models.cross_attention import CrossAttention, DenseCrossAttention
from vidattn.models.deformable_cross_attention import DeformableCrossAttention
from vidattn.models.network import Features
from vidattn.models.query_layer import QueryLayer
from vidattn.models.tubes import Detections, asked_times, logit, spread_out, waves

FIRST_SIZE = 0.3  # of the boxes that queries begin with, in each direction


class Cross(ABC):
    """The numbers of a cross-attention, and what makes it; its fields are plain values."""

    @abstractmethod
    def build(self, dim: int, num_heads: int, num_boxes: int, parts: Parts) -> CrossAttention:
        """A fresh one."""


@dataclass(frozen=True)
class DenseCross(Cross):
    """Queries attend to all tokens: `DenseCrossAttention`."""

    def build(self, dim: int, num_heads: int, num_boxes: int, parts: Parts) -> CrossAttention:
        """A fresh one."""
        return DenseCrossAttention(dim, num_heads, num_boxes, parts=parts)


@dataclass(frozen=True)
class DeformableCross(Cross):
    """Queries look at points around their boxes: `DeformableCrossAttention`.

    Args:
        num_points: points of a head around each box.
    """

    num_points: int = 4

    def build(self, dim: int, num_heads: int, num_boxes: int, parts: Parts) -> CrossAttention:
        """A fresh one."""
        return DeformableCrossAttention(dim, num_heads, num_boxes, self.num_points, parts=parts)


@dataclass(frozen=True)
class Queries:
    """The numbers that make a `QueryDecoder`.

    Args:
        num_queries: Q, the most people that a clip can have.
        num_boxes: K, frames of a clip that each gets a box on, evenly spaced; 1 is the middle (key) frame.
        embed_dim: width of the queries.
        depth: number of layers.
        num_heads: of each attention.
        mlp_ratio: hidden width of the MLPs over the width.
        cross: how queries look at the clip.

    Raises:
        ValueError: `embed_dim` is no multiple of `num_heads`, or a number is below 1.
    """

    num_queries: int = 15
    num_boxes: int = 1
    embed_dim: int = 256
    depth: int = 6
    num_heads: int = 8
    mlp_ratio: float = 4.0
    cross: Cross = DeformableCross()

    def __post_init__(self) -> None:
        check_positive(
            num_queries=self.num_queries,
            num_boxes=self.num_boxes,
            embed_dim=self.embed_dim,
            depth=self.depth,
            num_heads=self.num_heads,
        )
        if self.embed_dim % self.num_heads or self.embed_dim % 8:
            raise Mistake(
                f"queries embed_dim={self.embed_dim}, num_heads={self.num_heads}: wanted a width that is a multiple of "
                "the heads and of 8, as in 256 and 8"
            )

    def build(self, width: int, num_actions: int) -> "QueryDecoder":
        """The decoder of so many actions behind a network of this token width."""
        return QueryDecoder(width, num_actions, self)


class Given(NamedTuple):
    """Boxes that somebody else has found, for the decoder to say what goes on in them.

    Args:
        boxes: `(B, G, K, 4)`, centre and size in fractions of the picture.
        group: `(B, G)` integers of 0 or more: boxes of one number know of each other; -1 where there is none, to fill
            up the clips that have fewer. What stands there reaches nobody.
    """

    boxes: Tensor
    group: Tensor


class QueryDecoder(nn.Module):
    """Layers of queries that look at a clip and at each other, and move their boxes from one layer to the next.

    DETR, https://arxiv.org/abs/2005.12872, with the boxes of DAB-DETR, https://arxiv.org/abs/2201.12329: each query is
    a content and a box (K of them, on the asked frames), which says where to look at first; each layer moves it by what
    it has seen (Deformable DETR, https://arxiv.org/abs/2010.04159, appendix A.4, no gradient between layers). What
    reads boxes and actions is the same after each layer, so that all have their loss. Fresh layers are as wide as
    DETR's (Xavier's, 1 / sqrt(D)), not ViT's 0.02, with which narrow decoders hardly begin to learn. Boxes that are
    given run beside: one content for all, and the box; nobody else sees them.

    Args:
        width: token width of the network.
        num_actions: C.
        numbers: its own width, depth and the rest.
    """

    def __init__(self, width: int, num_actions: int, numbers: Queries) -> None:
        super().__init__()
        self.numbers, self.num_actions = numbers, num_actions
        dim, boxes = numbers.embed_dim, numbers.num_boxes
        self.recompute = False
        parts = Parts(std=dim**-0.5)
        self.enter = linear(width, dim, width**-0.5)
        self.enter_norm = nn.LayerNorm(dim)
        self.content = nn.Parameter(torch.randn(numbers.num_queries, dim))
        self.given_content = nn.Parameter(torch.randn(dim))
        first = torch.cat((spread_out(numbers.num_queries), torch.full((numbers.num_queries, 2), FIRST_SIZE)), dim=1)
        self.anchors = nn.Parameter(logit(first))
        self.position = nn.Sequential(nn.Linear(boxes * dim, dim), nn.ReLU(), nn.Linear(dim, dim))
        self.layers = nn.ModuleList(
            QueryLayer(
                dim,
                numbers.num_heads,
                numbers.cross.build(dim, numbers.num_heads, boxes, parts),
                numbers.mlp_ratio,
                parts=parts,
            )
            for _ in range(numbers.depth)
        )
        self.norm = nn.LayerNorm(dim)
        self.actions = nn.Linear(dim, num_actions + 1)
        self.move = nn.Sequential(
            nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, 4 * boxes)
        )
        self.shown = nn.Linear(dim, boxes) if boxes > 1 else None
        nn.init.zeros_(self.move[-1].weight)  # type: ignore[arg-type]
        nn.init.zeros_(self.move[-1].bias)  # type: ignore[arg-type]

    def forward(self, features: Features, frames: int, given: Given | None = None) -> tuple[Detections, Detections]:
        """What the queries have found, and what is said of the given boxes (of none without `given`).

        Args:
            features: of the network, normed.
            frames: of the clips.
            given: boxes that run beside the queries.

        Raises:
            ValueError: the clips have fewer frames than boxes are asked on.
        """
        tokens = self.enter_norm(self.enter(features.video))
        count = self.numbers.num_queries
        x, boxes, bias = self._begin(tokens, given)
        times = asked_times(frames, self.numbers.num_boxes, x.device)
        found: list[tuple[Tensor, Tensor, Tensor]] = []
        for layer in self.layers:
            position = self.position(waves(boxes, self.numbers.embed_dim // 4).flatten(2).to(x.dtype))
            inputs = (x, position, boxes, times, tokens, bias)
            x = checkpoint(layer, *inputs, use_reentrant=False) if self.recompute and self.training else layer(*inputs)
            read = self.norm(x)
            moved = (logit(boxes) + self.move(read).float().unflatten(-1, (-1, 4))).sigmoid()
            found.append((moved, self.actions(read), read))
            boxes = moved.detach()
        all_boxes, logits, read = (torch.stack(one) for one in zip(*found, strict=True))
        whole = Detections(all_boxes, logits.float(), None if self.shown is None else self.shown(read).float())
        return whole.queries(0, count), whole.queries(count)

    def answer_given(self, features: Features, frames: int, given: Given) -> Detections:
        """What is said of the given boxes alone, with no query beside; its boxes are as the decoder would move them."""
        return self(features, frames, given)[1]

    def _begin(self, tokens: Tensor, given: Given | None) -> tuple[Tensor, Tensor, Tensor | None]:
        """Contents `(B, Q + G, D)`, boxes `(B, Q + G, K, 4)`, and what keeps queries and given boxes apart."""
        clips, boxes = tokens.shape[0], self.numbers.num_boxes
        x = self.content.to(tokens.dtype).expand(clips, -1, -1)
        anchors = self.anchors.sigmoid()[:, None].expand(clips, -1, boxes, -1)
        if given is None:
            return x, anchors, None
        count = given.group.shape[1]
        x = torch.cat((x, self.given_content.to(x.dtype).expand(clips, count, -1)), dim=1)
        filling = -1 - torch.arange(count, device=x.device)  # each a group of its own, and the queries another
        among = given.group.new_full((clips, self.numbers.num_queries), -1 - count)
        group = torch.cat((among, torch.where(given.group < 0, filling, given.group)), dim=1)
        apart = group[:, None, :, None] != group[:, None, None, :]
        bias = torch.zeros(apart.shape, dtype=x.dtype, device=x.device).masked_fill(apart, -torch.inf)
        return x, torch.cat((anchors, given.boxes.to(anchors.dtype)), dim=1), bias

    def macs(self, grid: Grid, given: int = 0) -> Macs:
        """Cost of one clip whose tokens lie on `grid`, with so many given boxes beside the queries."""
        numbers, queries = self.numbers, self.numbers.num_queries + given
        enter = Macs(linear=grid.num_video_tokens * self.enter.weight.numel())
        each = sum(layer.weight.numel() for layer in (*self.position, *self.move) if isinstance(layer, nn.Linear))
        each += self.actions.weight.numel() + (0 if self.shown is None else self.shown.weight.numel())
        reads = Macs(linear=numbers.depth * queries * each)
        return sum((layer.macs(queries, grid) for layer in self.layers), enter + reads)  # type: ignore[operator]

    def macs_of_call(self, inputs: tuple, output: tuple[Detections, Detections]) -> Macs:
        """Cost of a call of `forward` with these inputs, all clips of the batch."""
        features = inputs[0]
        return features.tokens.shape[0] * self.macs(features.grid, output[1].boxes.shape[2])
