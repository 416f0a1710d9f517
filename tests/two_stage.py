"""A network that is not ours: two stages of other widths, with a merging of patches between them.

It stands for what a user writes in a file of theirs: a configuration and a network, named by their import path.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vidattn.attention.parts import linear
from vidattn.attention.scheme import parse_scheme
from vidattn.grid import Grid
from vidattn.macs import Macs
from vidattn.models.block import Block
from vidattn.models.embeddings import PatchEmbedding
from vidattn.models.network import EndMacs, Features, Network, NetworkConfig, Stage
from vidattn.models.readout import MeanPooling


@dataclass(frozen=True)
class TwoStageConfig(NetworkConfig):
    """A stage of `width`, then one of twice as much on a quarter of the tokens."""

    num_classes: int = 3
    num_frames: int = 4
    image_size: int = 32
    width: int = 16
    attention: tuple[str, str] = ("window(2,2,2)", "time+space")

    @property
    def size(self) -> tuple[int, int]:
        return self.image_size, self.image_size

    @property
    def title(self) -> str:
        return " then ".join(self.attention)

    def grid(self, frames: int, height: int, width: int) -> Grid:
        return Grid(frames, height // 4, width // 4, 0)

    def check_clip(self, frames: int, height: int, width: int, name: str = "input") -> None:
        if height % 8 or width % 8:
            raise ValueError(f"{name}={height}x{width} is not a multiple of 8")

    def build(self) -> "TwoStage":
        return TwoStage(self)


class TwoStage(Network):
    def __init__(self, config: TwoStageConfig) -> None:
        super().__init__()
        self.config = config
        widths = (config.width, 2 * config.width)
        self.patch = PatchEmbedding(widths[0], 4)
        self.stages = nn.ModuleList(
            nn.ModuleList([Block(width, [step.build(width, 2) for step in parse_scheme(scheme).steps])])
            for scheme, width in zip(config.attention, widths, strict=True)
        )
        self.merge = linear(4 * widths[0], widths[1])
        self.readout, self.norm, self.head = (
            MeanPooling(),
            nn.LayerNorm(widths[1]),
            linear(widths[1], config.num_classes),
        )

    def features(self, video: Tensor, keep: object = None, normalized: bool = False) -> Features:
        if keep is not None:
            raise ValueError("windows and merging need the whole map: no places can be left out")
        first, second = self.layout(*video.shape[2:])
        x = self.patch(video).flatten(1, 3)
        for block in first.blocks:
            x = block(x, first.grid)
        x = x.unflatten(1, (first.grid.frames, second.grid.height, 2, second.grid.width, 2))
        x = self.merge(x.transpose(3, 4).flatten(4).flatten(1, 3))
        for block in second.blocks:
            x = block(x, second.grid)
        return Features(self.norm(x) if normalized else x, second.grid)

    def layout(self, frames: int, height: int, width: int) -> list[Stage]:
        grid = self.config.grid(frames, height, width)
        half = Grid(grid.frames, grid.height // 2, grid.width // 2, 0)
        return [Stage(self.stages[0], grid), Stage(self.stages[1], half, 1, self.readout)]

    def end_macs(self, frames: int, height: int, width: int) -> EndMacs:
        first, second = self.layout(frames, height, width)
        merging = Macs(linear=second.grid.num_tokens * self.merge.weight.numel())
        patch = self.patch.macs(first.grid.num_tokens)
        return EndMacs(patch, merging, Macs(linear=self.head.weight.numel()))


def clips(count: int = 2) -> Tensor:
    return torch.randn(count, 3, 4, 32, 32, generator=torch.Generator().manual_seed(0))
