"""A network that is not ours: what a user writes in a file of theirs, a configuration and a network by import path."""

from dataclasses import dataclass

import torch
from torch import Tensor

from vidattn.models.hierarchical import HierarchicalTransformer
from vidattn.models.hierarchical_config import HierarchicalConfig


@dataclass(frozen=True)
class OwnConfig(HierarchicalConfig):
    """A stage of `width`, then one of twice as much on a quarter of the tokens."""

    num_classes: int = 3
    num_frames: int = 4
    image_size: int | tuple[int, int] = 32
    tubelet_size: int = 1
    widths: tuple[int, ...] = (16, 32)
    depths: tuple[int, ...] = (1, 1)
    num_heads: tuple[int, ...] = (2, 2)
    attention: str | tuple[str, ...] = ("window(2,2,2)", "time+space")

    def build(self) -> "OwnNetwork":
        return OwnNetwork(self)


class OwnNetwork(HierarchicalTransformer):
    """Sees every clip in a mirror."""

    def forward(self, video: Tensor) -> Tensor:
        return super().forward(video.flip(-1))


def clips(count: int = 2) -> Tensor:
    return torch.randn(count, 3, 4, 32, 32, generator=torch.Generator().manual_seed(0))
