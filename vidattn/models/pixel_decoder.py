"""What paints the hidden patches of a clip in pre-training, and the pixels that it is to paint."""

from dataclasses import dataclass, replace

import torch
from einops import rearrange
from torch import Tensor, nn

from vidattn.attention.joint import JointAttention
from vidattn.attention.parts import VIT, Parts, linear
from vidattn.grid import Grid
from vidattn.macs import Macs
from vidattn.mistakes import Mistake
from vidattn.models.block import Block
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.keep import Kept
from vidattn.models.layers import Activation, gelu
from vidattn.models.network import NetworkConfig
from vidattn.models.positions import SineTable


@dataclass(frozen=True)
class Decoder:
    """The numbers that make a `PixelDecoder`; by default those of VideoMAE-B, https://arxiv.org/abs/2203.12602.

    Args:
        embed_dim: token width.
        depth: number of blocks; 0 is a linear layer alone.
        num_heads: of each block.
        mlp_ratio: hidden width of the MLPs over the token width.

    Raises:
        ValueError: `embed_dim` is no multiple of `num_heads`, or a number is too small.
    """

    embed_dim: int = 384
    depth: int = 4
    num_heads: int = 6
    mlp_ratio: float = 4.0

    def __post_init__(self) -> None:
        if self.depth < 0 or self.embed_dim < 1 or self.num_heads < 1 or self.embed_dim % self.num_heads:
            raise Mistake(
                f"decoder embed_dim={self.embed_dim}, depth={self.depth}, num_heads={self.num_heads}: wanted a width "
                "that is a multiple of the heads, and a depth of 0 or more"
            )

    def build(self, config: NetworkConfig, width: int) -> "PixelDecoder":
        """The decoder behind a network of this configuration and token width, of the same parts as its blocks."""
        grid = config.native_grid._replace(prefix=0)
        numbers = (width, grid, pixels_of_a_patch(config), self)
        if not isinstance(config, VideoTransformerConfig):
            return PixelDecoder(*numbers)
        parts = replace(config.parts, query_key=())  # it knows places by its table
        return PixelDecoder(*numbers, config.norm_eps, config.activation_function, parts)


class PixelDecoder(nn.Module):
    """A narrow transformer over what the encoder saw and a learnt token for each hidden place; joint attention.

    VideoMAE, https://arxiv.org/abs/2203.12602, section 3.2: what is seen comes first, what is hidden after it, both
    with sine positions; the hidden places alone are painted. Class tokens and registers of the encoder go along without
    a position, as in MAE, https://arxiv.org/abs/2111.06377.

    Args:
        width: token width D of the encoder.
        grid: the tokens of the clips that its positions are made for.
        pixels: numbers of one patch.
        numbers: its own width, depth and heads.
        norm_eps: added to the variance in the norms.
        activation: of the MLPs.
        parts: what the blocks are made of.
    """

    def __init__(
        self,
        width: int,
        grid: Grid,
        pixels: int,
        numbers: Decoder,
        norm_eps: float = 1e-6,
        activation: Activation = gelu,
        parts: Parts = VIT,
    ) -> None:
        super().__init__()
        embed_dim = numbers.embed_dim
        self.enter = nn.Linear(width, embed_dim, bias=False)
        nn.init.trunc_normal_(self.enter.weight, std=parts.std)
        self.mask_token = nn.Parameter(nn.init.trunc_normal_(torch.empty(1, 1, embed_dim), std=0.02))
        self.position = SineTable(embed_dim, grid)
        self.blocks = nn.ModuleList(
            Block(
                embed_dim,
                [JointAttention(embed_dim, numbers.num_heads, parts=parts)],
                numbers.mlp_ratio,
                norm_eps=norm_eps,
                activation=activation,
                parts=parts,
            )
            for _ in range(numbers.depth)
        )
        self.norm = parts.norm(embed_dim, norm_eps)
        self.head = linear(embed_dim, pixels, parts.std)

    def forward(self, prefix: Tensor, seen: Tensor, keep: Kept, whole: Grid) -> Tensor:
        """Painted patches of the hidden places, in the order of `keep.hidden`.

        Args:
            prefix: the encoder's class tokens and registers, `(B, P, D)`.
            seen: its other tokens, `(B, m, D)`, in the order of `keep.tokens`.
            keep: what it saw.
            whole: the grid of all tokens.

        Returns:
            `(B, M - m, pixels)`.
        """
        table = self.position(whole._replace(prefix=0))
        known, open_places = (table[0, places] for places in (keep.tokens(whole), keep.hidden(whole)))
        x = torch.cat((self.enter(prefix), self.enter(seen) + known, self.mask_token + open_places), dim=1)
        grid = Grid(1, 1, x.shape[1] - prefix.shape[1], prefix.shape[1])
        for block in self.blocks:
            x = block(x, grid)
        return self.head(self.norm(x[:, -open_places.shape[1] :]))

    def macs(self, prefix: int, seen: int, whole: Grid) -> Macs:
        """Cost of one clip of which the encoder hands on `prefix` and `seen` tokens."""
        grid = Grid(1, 1, whole.num_video_tokens, prefix)
        painted = whole.num_video_tokens - seen
        ends = Macs(linear=(prefix + seen) * self.enter.weight.numel() + painted * self.head.weight.numel())
        return sum((block.macs(grid) for block in self.blocks), ends)  # type: ignore[operator]


def pixels_of_a_patch(config: NetworkConfig) -> int:
    """Numbers of one patch, or tubelet, of all three channels."""
    height, width = config.size
    return 3 * config.num_frames * height * width // config.native_grid.num_video_tokens


def patches_of(video: Tensor, grid: Grid) -> Tensor:
    """The pixels of each token of clips `(B, C, T, H, W)`, `(B, M, t p q C)`, tokens counted as in the grid."""
    sides = dict(zip("fhw", grid.sides(), strict=True))
    return rearrange(video, "b c (f t) (h p) (w q) -> b (f h w) (t p q c)", **sides)


def video_of(patches: Tensor, grid: Grid, frames: int, height: int, width: int) -> Tensor:
    """The clips `(B, C, T, H, W)` of which `patches_of` made these patches."""
    t, p, q = frames // grid.frames, height // grid.height, width // grid.width
    sides = dict(zip("fhw", grid.sides(), strict=True))
    return rearrange(patches, "b (f h w) (t p q c) -> b c (f t) (h p) (w q)", t=t, p=p, q=q, **sides)


def patch_statistics(patches: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation of each channel within each patch `(B, M, n 3)`, both `(B, M, 1, 3)`.

    VideoMAE's code, `run_mae_pretraining.py`: by channel, unbiased, 1e-6 added to the deviation.
    """
    variance, mean = torch.var_mean(patches.unflatten(2, (-1, 3)), 2, unbiased=True, keepdim=True)
    return mean, variance.sqrt() + 1e-6
