"""The space-only baseline: an image transformer on each frame, features averaged over the frames."""

import torch
from torch import Tensor, nn

from vidattn.attention.heads import linear
from vidattn.grid import Grid
from vidattn.macs import Macs
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.embeddings import PatchEmbedding, PositionTable
from vidattn.models.readout import READOUTS
from vidattn.models.video_transformer import build_block, clip_shape, run_blocks


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
        dim, height, width = config.embed_dim, *(side // config.patch_size for side in config.size)
        self.readout = READOUTS[config.pooling](dim, config.num_heads)
        prefix = self.readout.num_prefix
        self.patch = PatchEmbedding(dim, config.patch_size)
        self.prefix = nn.Parameter(torch.empty(1, prefix, dim))
        self.position = PositionTable(dim, height, width, prefix)
        self.drop = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(build_block(config, "joint", index) for index in range(config.depth))
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.head = linear(dim, config.num_classes)
        nn.init.trunc_normal_(self.prefix, std=0.02)

    def forward(self, video: Tensor) -> Tensor:
        """Normalised clips `(B, 3, T, H, W)` -> logits `(B, K)`; same errors as `VideoTransformer`."""
        frames, height, width = clip_shape(video, self.config.patch_size)
        grid = self.frame_grid(height, width)
        prefix_position, position = self.position(grid.height, grid.width)
        patches = (self.patch(video) + position[:, None]).flatten(0, 1)  # (B*T, h, w, D)
        prefix = (self.prefix + prefix_position).expand(patches.shape[0], -1, -1)
        tokens = self.drop(grid.join(prefix, patches[:, None]))
        tokens = run_blocks(self.blocks, tokens, grid, self.config.gradient_checkpointing and self.training)
        return self.head(self.norm(self.readout(tokens).unflatten(0, (-1, frames)).mean(1)))

    def frame_grid(self, height: int, width: int) -> Grid:
        """The token grid of one frame of `height x width` pixels."""
        patch = self.config.patch_size
        return Grid(1, height // patch, width // patch, self.readout.num_prefix)

    def block_grids(self, frames: int, height: int, width: int) -> list[tuple[int, Grid]]:
        """How often each of the `blocks` runs for one clip, and the grid that it runs on."""
        return [(frames, self.frame_grid(height, width))] * len(self.blocks)

    def macs(self, frames: int, height: int, width: int) -> Macs:
        """Cost of one clip of `frames` frames of `height x width` pixels."""
        grid = self.frame_grid(height, width)
        frame = self.patch.macs(grid.num_video_tokens) + self.readout.macs(grid)
        frame += sum((block.macs(grid) for block in self.blocks), Macs())  # type: ignore[operator]
        return frames * frame + Macs(linear=self.head.weight.numel())
