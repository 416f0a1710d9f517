"""Queries that look at a few points around their boxes, in space and time."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidattn.attention.parts import VIT, Parts
from vidattn.checks import check_positive
from vidattn.grid import Grid
from vidattn.macs import Macs
from vidattn.models.cross_attention import CrossAttention, around


class DeformableCrossAttention(CrossAttention):
    """Each head of a query takes the tokens at P points around each of its boxes, which the query itself moves.

    Deformable DETR, https://arxiv.org/abs/2010.04159, section 4.1, in three axes: a point lies where offset and box say
    (an offset of 1 is the edge of the box, appendix A.4), and at a time within the clip; tokens are sampled linearly
    in between, zeros outside the picture. Weights come from the query alone, so that no token is compared with any:
    the cost goes by points, not by tokens. At first the heads look to all sides, out to the edge and half as far, and
    a box's points are spread over the part of the clip that it stands for: all of it where one frame is asked about.

    On CUDA, gradients of samples are summed in any order, so that runs are equal but for rounding.

    Args:
        dim: width D of queries and tokens.
        num_heads: number of heads; D / 64 by default.
        num_boxes: K, boxes of each query.
        num_points: P, points of a head around each box.
        parts: what its layers are made of.

    Raises:
        ValueError: `dim` is not a multiple of `num_heads`, or there are no points.
    """

    def __init__(
        self,
        dim: int,
        num_heads: int | None = None,
        num_boxes: int = 1,
        num_points: int = 4,
        *,
        parts: Parts = VIT,
    ) -> None:
        super().__init__(dim, num_heads, num_boxes, parts=parts)
        check_positive(num_points=num_points)
        self.num_points = num_points
        each = self.num_heads * num_boxes * num_points
        self.value, self.proj = parts.linear(dim, dim), parts.linear(dim, dim)
        self.move, self.weigh = nn.Linear(dim, 3 * each), nn.Linear(dim, each)
        for layer in (self.move, self.weigh):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        far = 1 - torch.arange(num_points) % 2 / 2  # the edge of the box, and half way to it
        sides = around(self.num_heads)[:, None, None] * far[None, None, :, None]
        when = ((torch.arange(num_points) + 0.5) / num_points - 0.5) * 2 / num_boxes
        first = torch.cat((sides, when[None, None, :, None].expand(self.num_heads, 1, -1, 1)), dim=-1)
        with torch.no_grad():
            self.move.bias.copy_(first.expand(-1, num_boxes, -1, -1).flatten())

    def forward(self, queries: Tensor, boxes: Tensor, times: Tensor, tokens: Tensor) -> Tensor:
        """`(B, Q, D)` -> `(B, Q, D)`; see `CrossAttention.forward`."""
        points = self.points(queries, boxes, times, tokens.shape[1])
        value = self.value(tokens).unflatten(-1, (self.num_heads, -1)).permute(0, 4, 5, 1, 2, 3).flatten(0, 1)
        places = (2 * points - 1).transpose(1, 2).flatten(0, 1)[:, :, :, None]  # (B heads, Q, K P, 1, 3)
        sampled = F.grid_sample(value.to(points.dtype), places, align_corners=False)  # (B heads, d, Q, K P, 1)
        sampled = sampled.squeeze(-1).permute(0, 2, 3, 1).unflatten(0, (-1, self.num_heads)).to(value.dtype)
        mixed = self.shares(queries).transpose(1, 2).unsqueeze(3) @ sampled  # (B, heads, Q, 1, d)
        return self.proj(mixed.squeeze(3).transpose(1, 2).flatten(2))

    def points(self, queries: Tensor, boxes: Tensor, times: Tensor, frames: int) -> Tensor:
        """Where each query looks: `(B, Q, heads, K P, 3)`, x, y and time in fractions of the clip, float32.

        Args:
            queries: `(B, Q, D)`.
            boxes: `(B, Q, K, 4)`.
            times: `(K,)`.
            frames: of the tokens; a time before the middle of the first, or after the last's, is that.
        """
        shape = (self.num_heads, self.num_boxes, self.num_points, 3)
        offsets = self.move(queries).float().unflatten(-1, shape)
        where = boxes[:, :, None, :, None]
        sides = where[..., :2] + offsets[..., :2] * where[..., 2:] / 2
        when = (times[:, None] + offsets[..., 2] / 2).clamp(0.5 / frames, 1 - 0.5 / frames)
        return torch.cat((sides, when[..., None]), dim=-1).flatten(3, 4)

    def shares(self, queries: Tensor) -> Tensor:
        """What a query takes of each of its points, `(B, Q, heads, K P)`; a head's sum to 1."""
        return self.weigh(queries).unflatten(-1, (self.num_heads, -1)).softmax(-1)

    def macs(self, queries: int, grid: Grid) -> Macs:
        """`M D^2 + Q D^2 + 4 Q n D` in projections, `Q n D / heads` in attention: M tokens, n points of all heads."""
        points = self.weigh.out_features
        linear = (grid.num_video_tokens + queries) * self.dim**2 + 4 * queries * points * self.dim
        return Macs(linear=linear, attention=queries * points * self.dim // self.num_heads)
