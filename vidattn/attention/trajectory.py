"""Trajectory attention: first along space, to follow what a token sees through the frames, then along that path."""

import torch
from torch import Tensor

from vidattn.attention.base import Role, VideoAttention
from vidattn.attention.heads import SelfAttention, attend
from vidattn.attention.parts import VIT, Parts
from vidattn.grid import Grid
from vidattn.macs import Macs


class TrajectoryAttention(VideoAttention):
    """Each token pools every frame by attention, a trajectory of T vectors, then attends along its trajectory.

    Motionformer, https://arxiv.org/abs/2106.05392, section 3.2, exact. Equation 3: the softmax is over the locations
    of one frame at a time. Equation 4: from the trajectory's vectors come new keys and values, from the one in the
    token's own frame the new query. Prefix tokens attend to all tokens; no video token attends to them, as in the
    official code. (Its released default weighs the trajectory's vectors themselves in place of their values.)

    A configuration's `query_key` acts on the tokens' queries and keys, not on the trajectory's.

    Args:
        dim: token width D; a multiple of `num_heads`.
        num_heads: number of heads; D / 64 by default.
        parts: what the layers are made of.
    """

    scores_tokens = True
    needs_map = False
    mixes_by_weights = True
    role = Role("attn.", ("attn.proj",))

    def __init__(self, dim: int, num_heads: int | None = None, *, parts: Parts = VIT) -> None:
        super().__init__()
        self.dim = dim
        self.attn = SelfAttention(dim, num_heads, parts=parts)
        self.path_q = parts.linear(dim, dim)
        self.path_kv = parts.linear(dim, 2 * dim)

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """`(B, S, D)` -> `(B, S, D)`."""
        q, k, v = self.attn.project(x, grid).permute(2, 0, 3, 1, 4)
        prefix = attend(q[:, :, : grid.prefix], k, v).transpose(1, 2).flatten(2)
        q, k, v = (part[:, :, grid.prefix :].unflatten(2, (grid.frames, -1)) for part in (q, k, v))
        # One frame of queries at a time: trajectories are T times the clip. Frames of keys join the heads.
        k, v = (part.transpose(1, 2).flatten(1, 2) for part in (k, v))  # (B, T * heads, N, d)
        video = [self.follow(queries, k, v, frame) for frame, queries in enumerate(q.unbind(2))]
        return self.attn.proj(torch.cat((prefix, *video), dim=1))

    def follow(self, q: Tensor, k: Tensor, v: Tensor, frame: int) -> Tensor:
        """Queries of one frame, `(B, heads, N, d)`, through all frames and along their paths: `(B, N, D)`."""
        batch, heads, locations, head_dim = q.shape
        frames = k.shape[1] // heads
        path = (
            attend(q.repeat(1, frames, 1, 1), k, v).transpose(1, 2).reshape(batch, locations, frames, heads * head_dim)
        )
        query = self.path_q(path[:, :, frame]).view(batch * locations, heads, 1, head_dim)
        key, value = self.path_kv(path).view(batch * locations, frames, 2, heads, head_dim).permute(2, 0, 3, 1, 4)
        return attend(query, key, value).view(batch, locations, heads * head_dim)

    def macs(self, grid: Grid) -> Macs:
        """`4 S D^2 + M D^2 + 2 M T D^2` in projections, `2 P S D + 2 M^2 D + 2 M T D` in attention."""
        tokens, frames = grid.num_video_tokens, grid.frames
        return Macs(
            linear=(4 * grid.num_tokens + tokens + 2 * tokens * frames) * self.dim**2,
            attention=2 * (grid.prefix * grid.num_tokens + tokens**2 + tokens * frames) * self.dim,
        )
