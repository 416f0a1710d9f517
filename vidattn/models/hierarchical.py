"""A network in stages: fewer and wider tokens from one to the next, with any attention scheme in each."""

from itertools import accumulate

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from vidattn.attention.parts import linear
from vidattn.grid import Grid
from vidattn.macs import Macs
from vidattn.models.block import Block
from vidattn.models.body import clip_grid
from vidattn.models.convolution_block import ConvolutionBlock, stands_alone
from vidattn.models.hierarchical_config import HierarchicalConfig
from vidattn.models.keep import Kept, kept
from vidattn.models.network import EndMacs, Features, Network, Stage
from vidattn.models.readout import ReadOut
from vidattn.models.stems import stem_named


class HierarchicalTransformer(Network):
    """Stem, stages of blocks with downsampling between them, norm and read-out, head.

    Video Swin, https://arxiv.org/abs/2106.13230, by its parts (`vidattn.models.presets` has its sizes); numerically
    torchvision's model (tests/models/test_swin.py). Works for any number of frames and any height and width that the
    downsampling takes.

    Args:
        config: the numbers that make the network.
    """

    config: HierarchicalConfig
    readout: ReadOut
    stages: nn.ModuleList

    def __init__(self, config: HierarchicalConfig) -> None:
        super().__init__()
        self.config = config
        first, last = config.widths_around(0)[0], config.widths[-1]
        self.stem = stem_named(config.stem)(
            first, config.patch_size, config.tubelet_size, config.parts, config.norm_eps
        )
        grid = config.native_grid
        if grid.prefix:
            self.prefix = nn.Parameter(nn.init.trunc_normal_(torch.empty(1, grid.prefix, first), std=0.02))
        else:  # as in `vidattn.models.body`
            self.register_buffer("prefix", torch.empty(1, 0, first))
        self.position, self.time = (table(first, grid) for table in config.tables)
        self.drop = nn.Dropout(config.dropout)
        self.stages = nn.ModuleList()
        for index, before in enumerate(accumulate(config.depths, initial=0)):
            if index < len(config.depths):
                stage = HierarchicalStage(config, index, before, grid)
                self.stages.append(stage)
                grid = stage.tables_for
        self.norm = nn.Identity() if config.readout.brings_norm else config.parts.norm(last, config.norm_eps)
        self.readout = config.readout(last, config.num_heads[-1])
        self.head = linear(last, config.num_classes)

    def features(self, video: Tensor, keep: Kept | Tensor | None = None, normalized: bool = False) -> Features:
        """Normalised clips `(B, 3, T, H, W)` -> tokens of the last stage `(B, S, D)`; see `Network.features`."""
        keep = kept(keep)
        grid = clip_grid(video, self.config, keep)
        tokens = self.stem(video) if keep is None else keep.embed(self.stem, video)  # type: ignore[arg-type]
        table = self.position(grid) + self.time(grid)
        x = self.drop(grid.join(self.prefix.expand(tokens.shape[0], -1, -1), tokens) + table)
        for stage in self.stages:
            x, grid = stage(x, grid)
        return Features(self.norm(x) if normalized else x, grid)

    def layout(self, frames: int, height: int, width: int, keep: Kept | None = None) -> list[Stage]:
        """The stages one after another, once for each clip."""
        grid = self.config.grid(frames, height, width)
        found: list[Stage] = []
        for stage in self.stages:
            assert isinstance(stage, HierarchicalStage)
            inner = grid if stage.merging is None else stage.merging.grid_after(grid)  # type: ignore[operator]
            passage = (stage.merging or nn.Identity()) if found else None
            found.append(Stage(stage.blocks, inner, passage=passage))
            grid = stage.grid_after(grid)
        return [*found[:-1], found[-1]._replace(readout=self.readout)]

    def end_macs(self, frames: int, height: int, width: int, keep: Kept | None = None) -> EndMacs:
        """Cost of everything but the blocks, of one clip."""
        grid = self.config.grid(frames, height, width)
        patch, between = self.stem.macs(grid.num_video_tokens), Macs()  # type: ignore[operator]
        for stage in self.stages:
            assert isinstance(stage, HierarchicalStage)
            if stage.merging is not None:
                between += stage.merging.macs(grid)  # type: ignore[operator]
            grid = stage.grid_after(grid)
        return EndMacs(patch, between, self.readout.macs(grid) + Macs(linear=self.head.weight.numel()))


class HierarchicalStage(nn.Module):
    """What leads into a stage, and its blocks.

    Args:
        config: of the network.
        index: of the stage.
        before: blocks of the stages before it.
        grid: tokens that it is given of the clips that the network is made for.

    Attributes:
        tables_for: tokens that the tables of its blocks are made for.
    """

    def __init__(self, config: HierarchicalConfig, index: int, before: int, grid: Grid) -> None:
        super().__init__()
        self.recompute = config.gradient_checkpointing
        downsampling = config.downsamplings[index]
        self.merging = downsampling.merging(config, index, grid) if downsampling else None
        opening = downsampling.opening(config, index, config.drop_path_of(before), grid) if downsampling else None
        self.blocks = nn.ModuleList([] if opening is None else [opening])
        self.tables_for = grid = downsampling.tables_after(grid) if downsampling else grid
        for place in range(len(self.blocks), config.depths[index]):
            self.blocks.append(stage_block(config, index, place, config.drop_path_of(before + place), grid))

    def forward(self, x: Tensor, grid: Grid) -> tuple[Tensor, Grid]:
        """`(B, S, D)` on `grid` -> `(B, S', D')` on `grid_after(grid)`, and that."""
        if self.merging is not None:
            x, grid = self.merging(x, grid), self.merging.grid_after(grid)  # type: ignore[operator]
        for block in self.blocks:
            x = checkpoint(block, x, grid, use_reentrant=False) if self.recompute and self.training else block(x, grid)
            grid = block.grid_after(grid)  # type: ignore[operator]
        return x, grid

    def grid_after(self, grid: Grid) -> Grid:
        """How the tokens lie that leave."""
        if self.merging is not None:
            grid = self.merging.grid_after(grid)  # type: ignore[operator]
        for block in self.blocks:
            grid = block.grid_after(grid)  # type: ignore[operator]
        return grid


def stage_block(
    config: HierarchicalConfig, stage: int, place: int, drop_path: float, grid: Grid
) -> Block | ConvolutionBlock:
    """The block at this place of this stage, which keeps width and map; no MLP where a step is a whole block."""
    width, heads, parts = config.widths[stage], config.num_heads[stage], config.parts
    steps = [step.build(width, heads, place, parts, grid) for step in config.schemes[stage].steps]
    if any(map(stands_alone, steps)):
        return ConvolutionBlock(width, steps, config.dropout, drop_path, config.norm_eps, parts)
    return Block(
        width,
        steps,
        config.mlp_ratios[stage],
        config.dropout,
        drop_path,
        config.norm_eps,
        config.activation_function,
        parts,
    )
