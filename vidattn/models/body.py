"""A stream of tokens from the patches to the read-out: what the transformers of one width share."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from vidattn.attention.scheme import Step, takes_parts
from vidattn.grid import Grid
from vidattn.macs import Macs
from vidattn.mistakes import Mistake
from vidattn.models.block import Block
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.embeddings import PatchEmbedding, TubeletEmbedding
from vidattn.models.keep import Columns, Kept
from vidattn.models.network import NetworkConfig
from vidattn.models.positions import CONDITIONAL_POSITIONS


class Body(nn.Module):
    """Prefix tokens, tables of positions, blocks, read-out and norm; abstract: a network, or a stage of one, is one.

    Args:
        config: width, parts and the rest.
        steps: the attention steps of each block.
        depth: number of blocks.
        grid: the tokens that the tables are made for.
        tables: the kinds of table, of places and of times.
    """

    def __init__(
        self,
        config: VideoTransformerConfig,
        steps: tuple[Step, ...],
        depth: int,
        grid: Grid,
        tables: tuple[type[nn.Module], type[nn.Module]],
    ) -> None:
        super().__init__()
        self.config = config
        dim, parts = config.embed_dim, config.parts
        ends = {"parts": config.end_parts} if takes_parts(config.readout) else {}
        self.readout = config.readout(dim, config.num_heads, **ends)
        prefix = torch.empty(1, grid.prefix, dim)
        if grid.prefix:
            self.prefix = nn.Parameter(nn.init.trunc_normal_(prefix, std=0.02))
        else:  # a parameter without a number would never get a gradient, and processes would wait for it
            self.register_buffer("prefix", prefix)
        self.position, self.time = (table(dim, grid) for table in tables)
        self.drop = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(
            Block(
                dim,
                [step.build(dim, config.num_heads, index, parts, grid) for step in steps],
                config.mlp_ratio,
                config.dropout,
                config.drop_path_of(index),
                config.norm_eps,
                config.activation_function,
                parts,
            )
            for index in range(depth)
        )
        kinds = CONDITIONAL_POSITIONS[config.conditional_position]
        self.conditional = nn.ModuleList(kind(dim) for kind in kinds)  # follows the first block
        self.norm = nn.Identity() if config.readout.brings_norm else parts.norm(dim, config.norm_eps)

    def embed(self, tokens: Tensor, whole: Grid, kept: Kept | None = None) -> tuple[Tensor, Grid]:
        """The stream that enters the first block, `(G, S, D)`, and how it lies.

        Args:
            tokens: `(G, T, h, w, D)`, of all patches, or of those that are `kept`.
            whole: the grid of all.
            kept: which of them there are; all by default.
        """
        table = self.position(whole) + self.time(whole)
        grid = whole
        if kept is not None:
            table, grid = kept.take_table(table, whole), kept.grid(whole)
        return self.drop(grid.join(self.prefix.expand(tokens.shape[0], -1, -1), tokens) + table), grid

    def run(self, x: Tensor, grid: Grid) -> Tensor:
        """The stream through all blocks, the conditional position encoding after the first.

        With `gradient_checkpointing` the blocks' inner activations are made again in the backward pass.
        """
        recompute = self.config.gradient_checkpointing and self.training
        for index, block in enumerate(self.blocks):
            x = checkpoint(block, x, grid, use_reentrant=False) if recompute else block(x, grid)
            if index == 0:
                for encoding in self.conditional:
                    x = x + encoding(x, grid)
        return x

    def conditional_macs(self, grid: Grid) -> Macs:
        """Cost of the conditional position encoding on one run."""
        return sum((encoding.macs(grid) for encoding in self.conditional), Macs())  # type: ignore[operator]


class FrameRows(NamedTuple):
    """The tokens of a clip, a row for each frame.

    Args:
        tokens: `(B * T, 1, h, w, D)`, of all patches, or of those that are kept.
        whole: the grid of the clip, with all patches.
        keep: which patches of a frame there are; None where all are, or where the same number of each frame is.
    """

    tokens: Tensor
    whole: Grid
    keep: Kept | None


def frames_of(
    video: Tensor, config: VideoTransformerConfig, patch: PatchEmbedding | TubeletEmbedding, keep: Kept | None
) -> FrameRows:
    """Normalised clips `(B, 3, T, H, W)` as tokens, frame by frame."""
    whole = clip_grid(video, config, keep)
    tokens = patch(video) if keep is None else keep.embed(patch, video)
    row_keep = keep.per_frame(whole.frames) if isinstance(keep, Columns) else None
    return FrameRows(tokens.flatten(0, 1).unsqueeze(1), whole, row_keep)


def patch_embedding(config: VideoTransformerConfig) -> PatchEmbedding | TubeletEmbedding:
    """The layer that makes tokens of pixels: of patches, or of tubelets of several frames."""
    if config.tubelet_size == 1:
        return PatchEmbedding(config.embed_dim, config.patch_size, config.seen_pixels)
    return TubeletEmbedding(config.embed_dim, config.patch_size, config.tubelet_size, config.seen_pixels)


def frames_alone(config: VideoTransformerConfig) -> bool:
    """Whether a token is made of one frame alone: not where patches are tubelets of several, or see what moved."""
    return config.tubelet_size == 1 and config.pixels == "rgb"


def clip_grid(video: Tensor, config: NetworkConfig, kept: Kept | None = None) -> Grid:
    """The token grid of clips `(B, 3, T, H, W)`, after checking that they are such, and that tokens can be left out."""
    if video.ndim != 5 or video.shape[1] != 3:
        raise Mistake(f"input of shape {tuple(video.shape)}; wanted clips (batch, 3, frames, height, width)")
    if not video.is_floating_point():
        raise Mistake(f"input of type {video.dtype}; wanted normalised floats (see vidattn.models.normalize)")
    frames, height, width = video.shape[2:]
    config.check_clip(frames, height, width)
    if kept is not None:
        config.check_keeps(kept)
    return config.grid(frames, height, width)
