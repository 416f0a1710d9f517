"""ViViT's factorisations of attention over space and time."""

import torch
from torch import Tensor, nn

from vidattn.attention.base import KeptRows, Role, RowMaps, VideoAttention, entering
from vidattn.attention.heads import Heads, SelfAttention, attend, self_attention_macs
from vidattn.attention.parts import VIT, Parts
from vidattn.grid import Grid
from vidattn.macs import Macs
from vidattn.mistakes import Mistake


class PlainTemporalAttention(VideoAttention):
    """Each location attends to itself in all frames, and nothing follows; prefix tokens get a zero update.

    The temporal half of ViViT's model 3 (factorised self-attention), https://arxiv.org/abs/2103.15691, section 3.3:
    `space+temporal`. The paper uses no class token with it: the last block's temporal step would not reach that token.
    `TemporalAttention` is TimeSformer's, with one more linear layer.

    Section 3.4 starts all weights of this step at zero, so that a model inflated from an image ViT computes at first
    what the ViT did. Here the projection alone is zero, which has that effect and lets all weights train.

    A network of ours has one position per location and one per frame, where ViViT has one per token: at ViT-B/16 8x224
    `space+temporal` has 1,047,552 parameters fewer than ViViT's model 3 (115,525,264), and the same cost.

    Args:
        dim: token width D; a multiple of `num_heads`.
        num_heads: number of heads; D / 64 by default.
        parts: what the layers are made of.
    """

    scores_tokens = True
    moves_prefix = False
    needs_map = False
    mixes_by_weights = True
    role = Role("attn.", ("attn.proj",), optional=True)

    def __init__(self, dim: int, num_heads: int | None = None, *, parts: Parts = VIT) -> None:
        super().__init__()
        self.dim = dim
        self.attn = SelfAttention(dim, num_heads, parts=parts)
        nn.init.zeros_(self.attn.proj.weight)

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """`(B, S, D)` -> `(B, S, D)`."""
        prefix, video = grid.split(x)
        update = self.attn.across(video.flatten(2, 3))
        return grid.join(torch.zeros_like(prefix), update.view(video.shape))

    def macs(self, grid: Grid) -> Macs:
        """`4 M D^2 + 2 N T^2 D`."""
        return self_attention_macs(grid.locations, grid.frames, self.dim)

    def kept_rows(self, grid: Grid, runs: int) -> KeptRows:
        """Without the prefix."""
        return KeptRows(entering(grid, runs), grid.num_video_tokens)

    def row_maps(self, weights: Tensor, grid: Grid) -> RowMaps:
        """A row for each location."""
        return maps_along_time(weights, grid)


def maps_along_time(weights: Tensor, grid: Grid) -> RowMaps:
    """Those of `SelfAttention.across`, which folds locations and heads into one axis: `(B, N * heads, T, T)`."""
    weights = weights.unflatten(1, (grid.locations, -1)).mean(2)
    return RowMaps(weights, Grid(1, grid.height, grid.width, 0), Grid(grid.frames, 1, 1, 0))


class SplitHeadsAttention(VideoAttention, Heads):
    """Half of the heads attend within the frame, the other half along time; one projection mixes them.

    ViViT's model 4 (factorised dot-product attention), https://arxiv.org/abs/2103.15691, section 3.3, `space|time`;
    weights have the shape of joint attention's. With an odd number of heads space has one more. At ViT-B/16 8x224 the
    network has 1,047,552 parameters fewer than ViViT's (87,158,416), for the reason in `PlainTemporalAttention`.

    The paper uses no class token with it. Prefix tokens here do in the spatial heads what they do in
    `SpatialAttention` (copied into every frame; the mean of the copies is taken) and nothing in the temporal heads.

    Args:
        dim: token width D; a multiple of `num_heads`.
        num_heads: number of heads, 2 or more; D / 64 by default.
        parts: what the layers are made of.

    Raises:
        ValueError: there is one head only, or `dim` is not a multiple of `num_heads`.
    """

    scores_tokens = True
    needs_map = False
    mixes_by_weights = True
    role = Role("", ("proj",))

    def __init__(self, dim: int, num_heads: int | None = None, *, parts: Parts = VIT) -> None:
        num_heads = num_heads or max(2, dim // 64)
        if num_heads < 2:
            raise Mistake(f"num_heads={num_heads} cannot be split between space and time; give 2 or more")
        super().__init__(dim, num_heads, parts=parts)
        self.dim = dim
        self.head_dim = dim // num_heads
        self.time_heads = num_heads // 2
        self.space_heads = num_heads - self.time_heads

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """`(B, S, D)` -> `(B, S, D)`."""
        qkv = self.project(x, grid)  # (B, S, 3, heads, d)
        space, time = qkv.split((self.space_heads, self.time_heads), dim=3)
        return self.proj(torch.cat((self.within_frames(space, grid), self.along_time(time, grid)), dim=-1))

    def within_frames(self, qkv: Tensor, grid: Grid) -> Tensor:
        """Queries, keys and values of the spatial heads `(B, S, 3, heads, d)` -> `(B, S, heads * d)`."""
        prefix, video = qkv[:, : grid.prefix], qkv[:, grid.prefix :].unflatten(1, (grid.frames, grid.locations))
        copies = prefix.unsqueeze(1).expand(-1, grid.frames, -1, -1, -1, -1)
        frames = torch.cat((copies, video), dim=2)  # (B, T, P + N, 3, heads, d)
        q, k, v = frames.flatten(0, 1).permute(2, 0, 3, 1, 4)
        mixed = attend(q, k, v).transpose(1, 2).flatten(2).unflatten(0, (-1, grid.frames))
        return torch.cat((mixed[:, :, : grid.prefix].mean(1), mixed[:, :, grid.prefix :].flatten(1, 2)), dim=1)

    def along_time(self, qkv: Tensor, grid: Grid) -> Tensor:
        """Queries, keys and values of the temporal heads `(B, S, 3, heads, d)` -> `(B, S, heads * d)`."""
        video = qkv[:, grid.prefix :].unflatten(1, (grid.frames, grid.locations))
        q, k, v = video.permute(3, 0, 2, 4, 1, 5).flatten(2, 3)  # (B, N * heads, T, d)
        mixed = attend(q, k, v).transpose(1, 2)  # (B, T, N * heads, d)
        mixed = mixed.reshape(qkv.shape[0], grid.num_video_tokens, self.time_heads * self.head_dim)
        return torch.cat((mixed.new_zeros(qkv.shape[0], grid.prefix, mixed.shape[-1]), mixed), dim=1)

    def macs(self, grid: Grid) -> Macs:
        """`4 (M + P) D^2 + T (N + P)^2 D + N T^2 D` where the number of heads is even."""
        space = self.space_heads * grid.frames * (grid.locations + grid.prefix) ** 2
        time = self.time_heads * grid.locations * grid.frames**2
        return Macs(linear=4 * grid.num_tokens * self.dim**2, attention=2 * (space + time) * self.head_dim)
