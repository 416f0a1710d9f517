"""The factorised encoder: an image transformer on each frame, then a second transformer on the frames."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from vidattn.attention.factorised import temporal_depth
from vidattn.attention.heads import linear
from vidattn.grid import Grid
from vidattn.macs import Macs
from vidattn.models.block import Block
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.norms import use_norm
from vidattn.models.positions import POSITIONS
from vidattn.models.readout import READOUTS
from vidattn.models.video_transformer import (
    blocks_macs,
    build_block,
    clip_shape,
    conditional_positions,
    patch_embedding,
    run_blocks,
)


class FactorisedEncoder(nn.Module):
    """ViViT's model 2, https://arxiv.org/abs/2103.15691, section 3.3: `space>time(4)`; time meets space late.

    `config.depth` spatial blocks make a vector of each frame, the temporal blocks make a vector of those. Both stages
    have their own prefix, position table and last norm, and the same read-out. To the temporal stage a clip is a map of
    one row: its table has the place of `position`'s first, and is resized bicubically to other lengths. A conditional
    position encoding follows the first spatial block.

    Args:
        config: the numbers that make the model; `config.attention` is `"space>time(n)"` with n temporal blocks.

    Raises:
        ValueError: `config.attention` is another scheme.
    """

    def __init__(self, config: VideoTransformerConfig) -> None:
        super().__init__()
        temporal = temporal_depth(config.attention)
        if temporal is None:
            raise ValueError(
                f"attention={config.attention!r} is no factorised encoder; wanted space>time(4) or the like"
            )
        self.config = config
        frames, height, width, _ = config.native_grid
        self.patch = patch_embedding(config)
        self.spatial = Encoder(config, height, width)
        self.temporal = Encoder(replace(config, depth=temporal, conditional_position="none"), 1, frames)
        self.head = linear(config.embed_dim, config.num_classes)
        use_norm(self, config.norm)

    @property
    def blocks(self) -> list[Block]:
        """All blocks, spatial first."""
        return [*self.spatial.blocks, *self.temporal.blocks]

    @property
    def conditional(self) -> nn.ModuleList:
        """The position encoding after the first block, or nothing."""
        return self.spatial.conditional

    def forward(self, video: Tensor) -> Tensor:
        """Normalised clips `(B, 3, T, H, W)` -> logits `(B, K)`; same errors as `VideoTransformer`."""
        clip_shape(video, self.config)
        patches = self.patch(video)  # (B, T, h, w, D)
        frames = self.spatial(patches.flatten(0, 1)).view(len(video), 1, patches.shape[1], self.config.embed_dim)
        return self.head(self.temporal(frames))

    def block_grids(self, frames: int, height: int, width: int) -> list[tuple[int, Grid]]:
        """How often each of the `blocks` runs for one clip, and the grid that it runs on."""
        grid = self.config.grid(frames, height, width)
        spatial, temporal = (
            (grid.frames, grid.with_sides(1, grid.height, grid.width)),
            (1, Grid(1, 1, grid.frames, grid.prefix)),
        )
        return [spatial] * len(self.spatial.blocks) + [temporal] * len(self.temporal.blocks)

    def macs(self, frames: int, height: int, width: int) -> Macs:
        """Cost of one clip of `frames` frames of `height x width` pixels."""
        frames, height, width, _ = self.config.grid(frames, height, width)
        spatial = self.patch.macs(height * width) + self.spatial.macs(height, width)
        return frames * spatial + self.temporal.macs(1, frames) + Macs(linear=self.head.weight.numel())


class Encoder(nn.Module):
    """A ViT between its patches and its head: a map of tokens in, one normed vector out.

    Args:
        config: width, depth, read-out and the rest; its attention is not looked at: all tokens attend to all.
        height: rows of the map that the position table has.
        width: columns of the map that the position table has.
    """

    def __init__(self, config: VideoTransformerConfig, height: int, width: int) -> None:
        super().__init__()
        self.config = config
        dim = config.embed_dim
        self.readout = READOUTS[config.pooling](dim, config.num_heads)
        self.prefix = nn.Parameter(torch.empty(1, self.readout.num_prefix, dim))
        self.position = POSITIONS[config.position][0](dim, Grid(1, height, width, self.readout.num_prefix))
        self.drop = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(build_block(config, "joint", index) for index in range(config.depth))
        self.conditional = conditional_positions(config)
        self.norm = nn.LayerNorm(dim, eps=config.norm_eps)
        nn.init.trunc_normal_(self.prefix, std=0.02)

    def forward(self, maps: Tensor) -> Tensor:
        """`(B, H, W, D)` -> `(B, D)`."""
        grid = Grid(1, maps.shape[1], maps.shape[2], self.readout.num_prefix)
        tokens = grid.join(self.prefix.expand(len(maps), -1, -1), maps[:, None])
        tokens = self.drop(tokens + self.position(grid))
        tokens = run_blocks(self, tokens, grid)
        return self.norm(self.readout(tokens))

    def macs(self, height: int, width: int) -> Macs:
        """Cost of one map of `height x width` tokens."""
        grid = Grid(1, height, width, self.readout.num_prefix)
        return blocks_macs(self, grid) + self.readout.macs(grid)
