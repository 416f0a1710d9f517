"""The video transformer: tokens of all frames in one stream, through blocks of attention steps, to logits."""

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from vidattn.attention.heads import VIT_STD, QueryValueBias, linear
from vidattn.attention.query_key import use_heads
from vidattn.attention.scheme import parse_scheme
from vidattn.grid import Grid
from vidattn.macs import Macs
from vidattn.models.block import Block
from vidattn.models.config import VideoTransformerConfig, check_divisible, check_frames
from vidattn.models.embeddings import PatchEmbedding, TubeletEmbedding
from vidattn.models.norms import use_norm
from vidattn.models.positions import CONDITIONAL_POSITIONS, POSITIONS
from vidattn.models.readout import READOUTS


class VideoTransformer(nn.Module):
    """TimeSformer, https://arxiv.org/abs/2102.05095, with any attention scheme in its blocks.

    With other parts also ViViT's model 1 and VideoMAE's encoder: see `vidattn.models.presets`. Works for any number of
    frames and any height and width that the patch divides: the tables of positions are interpolated. Numerically the
    official models (tests/test_parity.py).

    Args:
        config: the numbers that make the model.
    """

    def __init__(self, config: VideoTransformerConfig) -> None:
        super().__init__()
        self.config = config
        dim, grid = config.embed_dim, config.native_grid
        self.readout = READOUTS[config.pooling](dim, config.num_heads)
        self.patch = patch_embedding(config)
        self.prefix = nn.Parameter(torch.empty(1, grid.prefix, dim))
        self.position, self.time = (table(dim, grid) for table in POSITIONS[config.position])
        self.drop = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(build_block(config, config.attention, index) for index in range(config.depth))
        self.conditional = conditional_positions(config)
        self.norm = nn.LayerNorm(dim, eps=config.norm_eps)
        self.head = linear(dim, config.num_classes)
        nn.init.trunc_normal_(self.prefix, std=0.02)
        use_norm(self, config.norm)

    def forward(self, video: Tensor) -> Tensor:
        """Normalised clips `(B, 3, T, H, W)` -> logits `(B, K)`.

        Raises:
            ValueError: the input is not a clip, or patches and tubelets do not divide it.
        """
        tokens, grid = self.embed(video)
        tokens = run_blocks(self, tokens, grid)
        return self.head(self.norm(self.readout(tokens)))

    def embed(self, video: Tensor) -> tuple[Tensor, Grid]:
        """Clips `(B, 3, T, H, W)` -> tokens `(B, S, D)` and the grid that they lie on."""
        grid = self.grid(*clip_shape(video, self.config))
        tokens = grid.join(self.prefix.expand(len(video), -1, -1), self.patch(video))
        return self.drop(tokens + (self.position(grid) + self.time(grid))), grid

    def grid(self, frames: int, height: int, width: int) -> Grid:
        """The token grid of a clip of `frames` frames of `height x width` pixels."""
        return self.config.grid(frames, height, width)

    def block_grids(self, frames: int, height: int, width: int) -> list[tuple[int, Grid]]:
        """How often each of the `blocks` runs for one clip, and the grid that it runs on."""
        return [(1, self.grid(frames, height, width))] * len(self.blocks)

    def macs(self, frames: int, height: int, width: int) -> Macs:
        """Cost of one clip of `frames` frames of `height x width` pixels."""
        grid = self.grid(frames, height, width)
        ends = self.patch.macs(grid.num_video_tokens) + self.readout.macs(grid) + Macs(linear=self.head.weight.numel())
        return ends + blocks_macs(self, grid)


def build_block(config: VideoTransformerConfig, attention: str, index: int) -> Block:
    """The block with this index: steps of the scheme `attention` at the configuration's width."""
    steps = [step.build(config.embed_dim, config.num_heads, index) for step in parse_scheme(attention)]
    block = Block(
        config.embed_dim,
        steps,
        config.mlp_ratio,
        config.dropout,
        config.drop_path_of(index),
        config.norm_eps,
        config.activation,
    )
    use_heads(block, config.qkv_bias, config.query_key)
    for layer in block.modules():
        if isinstance(layer, nn.Linear | QueryValueBias):  # drawn with ViT's std; layers at zero stay there
            layer.weight.data *= config.init_std / VIT_STD
    return block


class Body(Protocol):
    """What a stream of tokens goes through between embedding and read-out."""

    config: VideoTransformerConfig
    training: bool
    blocks: nn.ModuleList
    conditional: nn.ModuleList


def run_blocks(body: Body, x: Tensor, grid: Grid) -> Tensor:
    """`x` through all blocks of `body`, the conditional position encoding after the first.

    With `gradient_checkpointing` the blocks' inner activations are made again in the backward pass.
    """
    recompute = body.config.gradient_checkpointing and body.training
    for index, block in enumerate(body.blocks):
        x = checkpoint(block, x, grid, use_reentrant=False) if recompute else block(x, grid)
        if index == 0:
            for encoding in body.conditional:
                x = x + encoding(x, grid)
    return x


def blocks_macs(body: Body, grid: Grid) -> Macs:
    """Cost of `run_blocks` on one clip."""
    return sum((part.macs(grid) for part in (*body.blocks, *body.conditional)), Macs())


def conditional_positions(config: VideoTransformerConfig) -> nn.ModuleList:
    """What follows the first block: a position encoding or nothing."""
    return nn.ModuleList(build(config.embed_dim) for build in CONDITIONAL_POSITIONS[config.conditional_position])


def patch_embedding(config: VideoTransformerConfig) -> PatchEmbedding | TubeletEmbedding:
    """The layer that makes tokens of pixels: of patches, or of tubelets of several frames."""
    if config.tubelet_size == 1:
        return PatchEmbedding(config.embed_dim, config.patch_size)
    return TubeletEmbedding(config.embed_dim, config.patch_size, config.tubelet_size)


def clip_shape(video: Tensor, config: VideoTransformerConfig) -> tuple[int, int, int]:
    """Frames, height and width of clips `(B, 3, T, H, W)`, after checking that they are such."""
    if video.ndim != 5 or video.shape[1] != 3:
        raise ValueError(f"input of shape {tuple(video.shape)}; wanted clips (batch, 3, frames, height, width)")
    if not video.is_floating_point():
        raise ValueError(f"input of type {video.dtype}; wanted normalised floats (see vidattn.models.normalize)")
    frames, height, width = video.shape[2:]
    check_divisible((height, width), config.patch_size, "input")
    check_frames(frames, config.tubelet_size, "input frames")
    return frames, height, width
