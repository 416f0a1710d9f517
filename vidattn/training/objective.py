"""What training drives towards: one class for each video, or any number of them."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor
from torchmetrics import Metric

from vidattn.training.multi_label import ViewPrecision
from vidattn.training.views import ViewAccuracy


class Objective(ABC):
    """A loss, what the logits then mean, and what is measured in evaluation."""

    multi_label: ClassVar[bool]
    monitor: ClassVar[str] = "val/video_top1"
    """What the best checkpoint is chosen by, unless `checkpoint.monitor` says otherwise."""
    scores: ClassVar[tuple[str, ...]] = ("loss", "clip_top1", "clip_top5", "video_top1", "video_top5", "num_videos")
    """The single numbers that `metric` computes; they are logged as `val/<name>` and `test/<name>`."""

    @abstractmethod
    def loss(self, logits: Tensor, targets: Tensor, label_smoothing: float) -> Tensor:
        """A scalar, from logits `(B, K)`."""

    @abstractmethod
    def probabilities(self, logits: Tensor) -> Tensor:
        """`(B, K)` -> `(B, K)`, in [0, 1]."""

    @abstractmethod
    def metric(self, num_classes: int) -> Metric:
        """Updated with logits, labels and video numbers of the views; computes named scores."""


@dataclass(frozen=True)
class OneLabel(Objective):
    """Softmax and cross-entropy; top-1 and top-5. Targets are classes `(B,)` or mixed vectors `(B, K)`."""

    multi_label = False

    def loss(self, logits: Tensor, targets: Tensor, label_smoothing: float) -> Tensor:
        """Cross-entropy, the mean over the batch."""
        return F.cross_entropy(logits, targets, label_smoothing=label_smoothing)

    def probabilities(self, logits: Tensor) -> Tensor:
        """They sum to 1 over the classes."""
        return logits.softmax(-1)

    def metric(self, num_classes: int) -> Metric:
        """Accuracy per clip and per video."""
        return ViewAccuracy(num_classes)


@dataclass(frozen=True)
class MultiLabel(Objective):
    """A sigmoid and binary cross-entropy for each class; mean average precision. For lists with several labels a video
    (Charades, Moments, AVA's kind); targets are `(B, K)`, 1 for each class of the video.
    """

    multi_label = True
    monitor = "val/mAP"
    scores = ("loss", "mAP", "num_videos", "num_classes_scored")

    def loss(self, logits: Tensor, targets: Tensor, label_smoothing: float) -> Tensor:
        """Binary cross-entropy, the mean over classes and batch; smoothed targets lie `label_smoothing / 2` inside."""
        targets = targets * (1 - label_smoothing) + label_smoothing / 2
        return F.binary_cross_entropy_with_logits(logits, targets)

    def probabilities(self, logits: Tensor) -> Tensor:
        """Each class by itself."""
        return logits.sigmoid()

    def metric(self, num_classes: int) -> Metric:
        """Mean average precision over videos."""
        return ViewPrecision(num_classes)
