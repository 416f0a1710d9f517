"""An image classifier in stages, with any attention in its blocks. An image is a clip of one frame."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from vidattn.attention.base import VideoAttention
from vidattn.attention.parts import linear
from vidattn.attention.scheme import parse_scheme
from vidattn.checks import check_positive, check_rate
from vidattn.grid import Grid
from vidattn.macs import Macs
from vidattn.mistakes import Mistake
from vidattn.models.block import Block


@dataclass(frozen=True)
class ImageClassifierConfig:
    """All numbers that make an image classifier.

    The same net with another attention is one line:

    >>> from dataclasses import replace
    >>> swin = ImageClassifierConfig(attention="swin(7)")
    >>> hybrid = replace(swin, attention=("mbconv", "mbconv", "relative", "relative"))  # as CoAtNet

    PVT and CoAtNet as published are presets of networks in stages (`pvt-tiny`, `coatnet-0`: `HierarchicalConfig`),
    which the commands take; an image is a clip of one frame to them.

    Args:
        attention: scheme of the blocks, as in `vidattn.attention.scheme`; one for all stages, or one for each. Blocks
            that know no positions (`map`, `pvt`) get them from a `peg` before: `peg+map`.
        num_classes: width of the head.
        channels: channels of an image.
        patch_size: side in pixels of the patches that the stem makes tokens of.
        widths: token width of each stage; a stage has half the rows and columns of the one before.
        depths: blocks of each stage.
        head_dim: width of an attention head: a stage has `width // head_dim` heads, at least one.
        mlp_ratio: hidden width of the MLPs over the token width.
        drop_path: probability of skipping an update in the last block; rises linearly from 0 in the first.

    Raises:
        ValueError: a value does not fit; the message names it.
    """

    attention: str | tuple[str, ...] = "swin(7)"
    num_classes: int = 1000
    channels: int = 3
    patch_size: int = 4
    widths: tuple[int, ...] = (96, 192, 384, 768)
    depths: tuple[int, ...] = (2, 2, 6, 2)
    head_dim: int = 32
    mlp_ratio: float = 4.0
    drop_path: float = 0.0

    def __post_init__(self) -> None:
        if not self.widths or len(self.widths) != len(self.depths):
            raise Mistake(f"widths={self.widths} and depths={self.depths} must have one number for each stage")
        check_rate(drop_path=self.drop_path)
        check_positive(
            num_classes=self.num_classes, channels=self.channels, patch_size=self.patch_size, head_dim=self.head_dim
        )
        if len(self.schemes) != len(self.widths):
            raise Mistake(f"attention={self.attention} names {len(self.schemes)} schemes for {len(self.widths)} stages")
        for scheme in self.schemes:
            parse_scheme(scheme)

    @property
    def schemes(self) -> tuple[str, ...]:
        """The scheme of each stage."""
        return (self.attention,) * len(self.widths) if isinstance(self.attention, str) else self.attention


class ImageClassifier(nn.Module):
    """Stem, stages of blocks with halving in between, mean over the map, head.

    The pyramid of Swin, https://arxiv.org/abs/2103.14030, section 3.1, and of many others. Images of any size work:
    zeros fill up the last patch, and the last row or column of an odd map before it is halved.

    Args:
        config: the numbers that make the network.
    """

    def __init__(self, config: ImageClassifierConfig) -> None:
        super().__init__()
        self.config = config
        inputs = (config.channels, *config.widths)
        last = max(sum(config.depths) - 1, 1)
        rates = iter([config.drop_path * index / last for index in range(sum(config.depths))])
        self.stages = nn.ModuleList()
        for index, (scheme, width, depth) in enumerate(zip(config.schemes, config.widths, config.depths, strict=True)):
            shrink = Shrink(inputs[index], width, 2 if index else config.patch_size)
            blocks = [image_block(config, scheme, width, next(rates), block) for block in range(depth)]
            self.stages.append(ImageStage(shrink, blocks))
        self.norm = nn.LayerNorm(config.widths[-1], eps=1e-6)
        self.head = linear(config.widths[-1], config.num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images `(B, C, H, W)` -> logits `(B, K)`.

        Raises:
            ValueError: the input is no batch of images with the configured channels.
        """
        if images.ndim != 4 or images.shape[1] != self.config.channels:
            raise Mistake(
                f"input of shape {tuple(images.shape)}; wanted (batch, {self.config.channels}, height, width)"
            )
        x = images.movedim(1, -1)  # (B, H, W, C)
        for stage in self.stages:
            x = stage(x)
        return self.head(self.norm(x).mean((1, 2)))

    def macs(self, height: int, width: int) -> Macs:
        """Cost of one image of `height x width` pixels."""
        total = Macs(linear=self.head.weight.numel())
        for stage in self.stages:
            assert isinstance(stage, ImageStage)
            height, width = stage.shrink.size(height, width)
            total += stage.macs(height, width)
        return total


class ImageStage(nn.Module):
    """Fewer, wider tokens, then blocks of attention and MLP on them."""

    def __init__(self, shrink: "Shrink", blocks: Sequence[Block]) -> None:
        super().__init__()
        self.shrink = shrink
        self.blocks = nn.ModuleList(blocks)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, H, W, C)` -> `(B, H / stride, W / stride, D)`, rounded up."""
        x = self.shrink(x)
        tokens, grid = x.flatten(1, 2), image_grid(*x.shape[1:3])
        for block in self.blocks:
            tokens = block(tokens, grid)
        return tokens.view(x.shape)

    def macs(self, height: int, width: int) -> Macs:
        """Cost of a map that leaves with `height x width` tokens."""
        grid = image_grid(height, width)
        blocks = sum((block.macs(grid) for block in self.blocks), Macs())  # type: ignore[operator]
        return self.shrink.macs(height, width) + blocks


class Shrink(nn.Module):
    """Patches of `stride x stride` pixels become one token each, normed: the stem and the steps between stages."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size=stride, stride=stride)
        self.norm = nn.LayerNorm(out_channels, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, H, W, C)` -> `(B, H / stride, W / stride, D)`, rounded up."""
        height, width = x.shape[1:3]
        filled = F.pad(x, (0, 0, 0, -width % self.stride, 0, -height % self.stride))
        return self.norm(self.conv(filled.movedim(-1, 1)).movedim(1, -1))

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of tokens that a map of `height x width` gives."""
        return -(-height // self.stride), -(-width // self.stride)

    def macs(self, height: int, width: int) -> Macs:
        """`s^2 C D` for each of the `height x width` tokens that leave."""
        return Macs(convolution=height * width * self.conv.weight.numel())


def image_block(config: ImageClassifierConfig, scheme: str, width: int, drop_path: float, index: int) -> Block:
    """The stage's block with this index, at this width: the video models' own, on a clip of one frame and no prefix."""
    heads = max(1, width // config.head_dim)
    steps = [step.build(width, heads, index) for step in parse_scheme(scheme).steps]
    return Block(width, steps, config.mlp_ratio, drop_path=drop_path)


def image_grid(height: int, width: int) -> Grid:
    """An image's tokens: one frame, no prefix."""
    return Grid(1, height, width, prefix=0)


def lift(block: Block, before: Sequence[VideoAttention] = ()) -> Block:
    """A block of an image classifier as one of a video model, with its weights.

    The steps `before`, such as `TemporalAttention` (an update of zero at first), come first; then everything that the
    image block does, now to every frame. The modules are shared, not copied: `copy.deepcopy` the result to part them.

    Args:
        block: one of the `blocks` of an `ImageClassifier`'s `stages`.
        before: the steps that the video model has in addition.
    """
    dim = block.mlp.fc1.in_features
    lifted = Block(dim, [*before, *block.steps])
    lifted.norms = nn.ModuleList([*lifted.norms[: len(before)], *block.norms])
    lifted.mlp_norm, lifted.mlp, lifted.drop = block.mlp_norm, block.mlp, block.drop
    return lifted
