"""What is to be trained, on how many videos."""

import math
from dataclasses import dataclass

from vidattn.checks import check_above_zero, check_positive

BACKWARD = 2
"""Multiply-accumulates of a backward pass, in those of the forward: products with inputs and with weights
(https://arxiv.org/abs/2001.08361, section 2.1)."""


@dataclass(frozen=True)
class Cost:
    """What a network costs in training.

    Attributes:
        name: for tables.
        clip: what it sees, such as `8 x 224 x 224`.
        macs: multiply-accumulates of a clip, forward.
        parameters: numbers that it holds.
        trained: of these, those that learn.
        activation_bytes: of one clip, kept for the backward pass.
        recomputed: whether the forward pass runs twice (gradient checkpointing).
        pretraining: whether it learns without labels.
    """

    name: str
    clip: str
    macs: int
    parameters: int
    trained: int
    activation_bytes: int
    recomputed: bool = False
    pretraining: bool = False

    @property
    def flops(self) -> int:
        """Floating-point operations of a clip in training: 2 x MACs, forward and backward."""
        return 2 * self.macs * (1 + BACKWARD + self.recomputed)

    @property
    def backward_share(self) -> float:
        """Of a step's time, what the backward pass takes: that in which gradients are sent."""
        return (BACKWARD + self.recomputed) / (1 + BACKWARD + self.recomputed)


@dataclass(frozen=True)
class Job:
    """A training.

    Args:
        cost: of its network.
        videos: of the training set.
        seconds: of a video, decoded or not: they are all read.
        epochs: over the videos.
        batch: clips of a step on each GPU.
        clips_per_video: drawn from each video that is read ("repeated sampling", https://arxiv.org/abs/2303.16727).

    Raises:
        ValueError: a number is none that can be.
    """

    cost: Cost
    videos: int
    seconds: float
    epochs: int
    batch: int = 8
    clips_per_video: int = 1

    def __post_init__(self) -> None:
        check_positive(videos=self.videos, epochs=self.epochs, batch=self.batch, clips_per_video=self.clips_per_video)
        check_above_zero(seconds=self.seconds)

    @property
    def clips(self) -> int:
        """Of an epoch."""
        return self.videos * self.clips_per_video

    def steps(self, gpus: int) -> int:
        """Of an epoch."""
        return math.ceil(self.clips / (gpus * self.batch))
