"""VideoPrism: an image transformer on each frame, then one along time at each place, with all tokens kept."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from vidattn.attention.capped import CappedAttention
from vidattn.attention.parts import Parts, linear
from vidattn.checks import check_above_zero, check_positive, check_rate
from vidattn.grid import Grid
from vidattn.macs import Macs
from vidattn.mistakes import Mistake
from vidattn.models.block import Block
from vidattn.models.body import clip_grid
from vidattn.models.embeddings import PatchEmbedding
from vidattn.models.fitting_sizes import check_divisible
from vidattn.models.keep import Kept
from vidattn.models.network import EndMacs, Features, Network, NetworkConfig, Stage
from vidattn.models.positions import map_waves, sine_cosine
from vidattn.models.readout import ReadOut
from vidattn.models.readout_table import readout_named


@dataclass(frozen=True)
class VideoPrismConfig(NetworkConfig):
    """All numbers that make a VideoPrism; a clip of another length or size still works at run time.

    Args:
        num_classes: width of the head.
        num_frames: frames of the clips that the table of times is made for.
        image_size: height and width in pixels of those clips, or one number for both.
        patch_size: side of a patch in pixels.
        embed_dim: token width D.
        spatial_depth: blocks on each frame.
        temporal_depth: blocks along time.
        num_heads: heads of each block.
        mlp_ratio: hidden width of the MLPs over D.
        pooling: a read-out without a class token: `query` (Hugging Face's classifier), `normed_mean`,
            `attentive_probe` or another; see `vidattn.models.readout_table`.
        cap: bound of attention's scores.
        dropout: probability of zeroing a component, after the tables and in each update.
        drop_path: probability of skipping an update in the last block; rises linearly from 0 in the first.
        gradient_checkpointing: recompute each block in the backward pass.
        init_std: standard deviation of fresh linear layers in the blocks.
        norm_eps: added to the variance in all norms.

    Raises:
        ValueError: a value does not fit; the message names it and what does.
    """

    num_classes: int = 400
    num_frames: int = 16
    image_size: int | tuple[int, int] = 288
    patch_size: int = 18
    embed_dim: int = 768
    spatial_depth: int = 12
    temporal_depth: int = 4
    num_heads: int = 12
    mlp_ratio: float = 4.0
    pooling: str = "query"
    cap: int = 50
    dropout: float = 0.0
    drop_path: float = 0.0
    gradient_checkpointing: bool = False
    init_std: float = 0.02
    norm_eps: float = 1e-6

    def __post_init__(self) -> None:
        names = ("num_classes", "num_frames", "patch_size", "embed_dim", "spatial_depth", "temporal_depth", "num_heads")
        check_positive(**{name: getattr(self, name) for name in (*names, "cap")})
        check_above_zero(mlp_ratio=self.mlp_ratio, init_std=self.init_std, norm_eps=self.norm_eps)
        check_rate(dropout=self.dropout, drop_path=self.drop_path)
        if self.embed_dim % self.num_heads:
            raise Mistake(f"embed_dim={self.embed_dim} is not a multiple of num_heads={self.num_heads}")
        if readout_named(self.pooling).num_prefix:
            raise Mistake(f"pooling={self.pooling!r} reads a class token, which VideoPrism has none of; take query")
        check_divisible(self.size, self.patch_size, "image_size")

    @property
    def size(self) -> tuple[int, int]:
        """`image_size` as (height, width)."""
        return self.image_size if isinstance(self.image_size, tuple) else (self.image_size, self.image_size)

    @property
    def title(self) -> str:
        """The name, and the temporal blocks."""
        return f"VideoPrism (space, then time({self.temporal_depth}) at each place)"

    @property
    def depth(self) -> int:
        """Blocks in all."""
        return self.spatial_depth + self.temporal_depth

    def grid(self, frames: int, height: int, width: int) -> Grid:
        """The tokens of a clip of `frames` frames of `height x width` pixels."""
        return Grid(frames, height // self.patch_size, width // self.patch_size, 0)

    def check_clip(self, frames: int, height: int, width: int, name: str = "input") -> None:
        """Raise a `ValueError` that names the nearest fitting numbers unless patches divide the clip."""
        check_divisible((height, width), self.patch_size, name)
        if frames < 1:
            raise Mistake(f"{name} frames={frames} must be at least 1")

    def build(self) -> "VideoPrism":
        """A fresh network."""
        return VideoPrism(self)


class VideoPrism(Network):
    """https://arxiv.org/abs/2402.13217: a factorised encoder that, unlike ViViT's, does not pool its frames.

    Each frame goes through the spatial blocks and a norm, then each place through the temporal ones. Numerically
    Hugging Face's `VideoPrismForVideoClassification` (its norms keep their weights less 1; here that 1 is in them).

    Args:
        config: the numbers that make the model.
    """

    config: VideoPrismConfig
    readout: ReadOut

    def __init__(self, config: VideoPrismConfig) -> None:
        super().__init__()
        self.config = config
        grid, dim = config.native_grid, config.embed_dim
        self.patch = PatchEmbedding(dim, config.patch_size)
        self.spatial = Tower(config, 0, config.spatial_depth, map_waves(dim, grid.height, grid.width))
        self.temporal = Tower(
            config, config.spatial_depth, config.temporal_depth, sine_cosine(grid.frames, dim)[:, None]
        )
        self.readout = readout_named(config.pooling)(dim, config.num_heads)
        self.head = linear(dim, config.num_classes)

    @property
    def norm(self) -> nn.Module:  # type: ignore[override]
        """The last norm."""
        return self.temporal.norm

    def features(self, video: Tensor, keep: Kept | Tensor | None = None, normalized: bool = False) -> Features:
        """Normalised clips `(B, 3, T, H, W)` -> tokens `(B, T * N, D)`; see `Network.features`."""
        if keep is not None:
            raise Mistake("VideoPrism's tables are of whole frames and all of them: no places can be left out")
        grid = clip_grid(video, self.config)
        frames = self.patch(video).flatten(2, 3).flatten(0, 1)  # (B * T, N, D)
        frames = self.spatial.norm(self.spatial(frames, grid.height, grid.width))
        places = frames.unflatten(0, (-1, grid.frames)).transpose(1, 2).flatten(0, 1)  # (B * N, T, D)
        places = self.temporal(places, grid.frames, 1)
        tokens = places.unflatten(0, (-1, grid.locations)).transpose(1, 2).flatten(1, 2)
        return Features(self.norm(tokens) if normalized else tokens, grid)

    def layout(self, frames: int, height: int, width: int, keep: Kept | None = None) -> list[Stage]:
        """The spatial blocks, once for each frame, and the temporal ones, once for each place."""
        grid = self.config.grid(frames, height, width)
        return [
            Stage(self.spatial.blocks, grid.frame(), grid.frames, folding="b (t n) -> (b t) n"),
            Stage(self.temporal.blocks, Grid(1, grid.frames, 1, 0), grid.locations, folding="b (t n) -> (b n) t"),
        ]

    def end_macs(self, frames: int, height: int, width: int, keep: Kept | None = None) -> EndMacs:
        """Cost of everything but the blocks, of one clip."""
        grid = self.config.grid(frames, height, width)
        head = self.readout.macs(grid) + Macs(linear=self.head.weight.numel())
        return EndMacs(self.patch.macs(grid.num_video_tokens), Macs(), head)


class Tower(nn.Module):
    """A table of positions, blocks, and the norm behind them, of rows of tokens on a map.

    Args:
        config: width, heads and the rest.
        first: number of blocks before these.
        depth: number of blocks.
        waves: `(H, W, D)`, what the table starts as.
    """

    def __init__(self, config: VideoPrismConfig, first: int, depth: int, waves: Tensor) -> None:
        super().__init__()
        self.config = config
        parts = Parts(std=config.init_std)
        self.table = nn.Parameter(waves[None])
        self.drop = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(
            Block(
                config.embed_dim,
                [CappedAttention(config.embed_dim, config.num_heads, config.cap, parts=parts)],
                config.mlp_ratio,
                config.dropout,
                config.drop_path * (first + index) / max(config.depth - 1, 1),
                config.norm_eps,
                parts=parts,
            )
            for index in range(depth)
        )
        self.norm = parts.norm(config.embed_dim, config.norm_eps)

    def forward(self, x: Tensor, height: int, width: int) -> Tensor:
        """`(G, height * width, D)` -> the same, through the blocks; the table is resized as VideoPrism's are."""
        x, grid = self.drop(x + antialiased(self.table, height, width).flatten(1, 2)), Grid(1, height, width, 0)
        recompute = self.config.gradient_checkpointing and self.training
        for block in self.blocks:
            x = checkpoint(block, x, grid, use_reentrant=False) if recompute else block(x, grid)
        return x


def antialiased(table: Tensor, height: int, width: int) -> Tensor:
    """A table `(1, H, W, D)` for another map: bilinear, and averaged where it shrinks; itself if nothing changes."""
    if (height, width) == tuple(table.shape[1:3]):
        return table
    maps = table.permute(0, 3, 1, 2).to(torch.promote_types(table.dtype, torch.float32))
    maps = F.interpolate(maps, (height, width), mode="bilinear", align_corners=False, antialias=True)
    return maps.permute(0, 2, 3, 1).to(table.dtype)
