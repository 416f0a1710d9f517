"""The space-only baseline: an image transformer on each frame, features averaged over the frames."""

import torch
from torch import Tensor, nn

from vidattn.attention.heads import linear
from vidattn.grid import Grid
from vidattn.macs import Macs
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


class SpaceOnlyTransformer(nn.Module):
    """TimeSformer's "space" scheme, https://arxiv.org/abs/2102.05095, section 3: no frame sees another.

    As in the official code each frame keeps its own class token through all blocks, there is no time table, and the
    mean over frames is taken before the last norm. (HF's TimeSformer lacks that mean: it returns a row per frame.)

    Args:
        config: the numbers that make the model; `config.attention` is `"space"`.
    """

    def __init__(self, config: VideoTransformerConfig) -> None:
        super().__init__()
        self.config = config
        dim, grid = config.embed_dim, config.native_grid._replace(frames=1)
        self.readout = READOUTS[config.pooling](dim, config.num_heads)
        self.patch = patch_embedding(config)
        self.prefix = nn.Parameter(torch.empty(1, grid.prefix, dim))
        self.position = POSITIONS[config.position][0](dim, grid)  # of a frame: no table of times
        self.drop = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(build_block(config, "joint", index) for index in range(config.depth))
        self.conditional = conditional_positions(config)
        self.norm = nn.LayerNorm(dim, eps=config.norm_eps)
        self.head = linear(dim, config.num_classes)
        nn.init.trunc_normal_(self.prefix, std=0.02)
        use_norm(self, config.norm)

    def forward(self, video: Tensor) -> Tensor:
        """Normalised clips `(B, 3, T, H, W)` -> logits `(B, K)`; same errors as `VideoTransformer`."""
        _, height, width = clip_shape(video, self.config)
        grid = self.frame_grid(height, width)
        patches = self.patch(video)  # (B, T, h, w, D)
        prefix = self.prefix.expand(patches.shape[0] * patches.shape[1], -1, -1)
        tokens = self.drop(grid.join(prefix, patches.flatten(0, 1)[:, None]) + self.position(grid))
        tokens = run_blocks(self, tokens, grid)
        return self.head(self.norm(self.readout(tokens).unflatten(0, patches.shape[:2]).mean(1)))

    def frame_grid(self, height: int, width: int) -> Grid:
        """The token grid of one frame of `height x width` pixels."""
        return self.config.grid(self.config.tubelet_size, height, width)

    def block_grids(self, frames: int, height: int, width: int) -> list[tuple[int, Grid]]:
        """How often each of the `blocks` runs for one clip, and the grid that it runs on."""
        return [(frames // self.config.tubelet_size, self.frame_grid(height, width))] * len(self.blocks)

    def macs(self, frames: int, height: int, width: int) -> Macs:
        """Cost of one clip of `frames` frames of `height x width` pixels."""
        frames, grid = frames // self.config.tubelet_size, self.frame_grid(height, width)
        frame = self.patch.macs(grid.num_video_tokens) + blocks_macs(self, grid) + self.readout.macs(grid)
        return frames * frame + Macs(linear=self.head.weight.numel())
