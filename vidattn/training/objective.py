"""What training drives towards: one class for each video, or any number of them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import torch.nn.functional as F
from torch import Tensor
from torchmetrics import Metric

from vidattn.calibration.reliability import Reliability, reliability
from vidattn.mistakes import Mistake
from vidattn.plots.confusion import plot_confusion
from vidattn.plots.reliability import plot_reliability
from vidattn.training.metrics import ViewAccuracy, ViewPrecision, map_in_words
from vidattn.training.permuted import explained_by_order
from vidattn.training.report import Report

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Objective(ABC):
    """A loss, what the logits then mean, and what is measured in evaluation."""

    multi_label: ClassVar[bool]
    monitor: ClassVar[str] = "val/video_top1"
    """What the best checkpoint is chosen by, unless `checkpoint.monitor` says otherwise; more is better."""
    scores: ClassVar[tuple[str, ...]] = ("loss", "clip_top1", "clip_top5", "video_top1", "video_top5", "num_videos")
    """The single numbers that `metric` computes; they are logged as `val/<name>` and `test/<name>`."""

    @abstractmethod
    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """A scalar, from logits `(B, K)`."""

    @abstractmethod
    def probabilities(self, logits: Tensor) -> Tensor:
        """`(B, K)` -> `(B, K)`, in [0, 1]."""

    @abstractmethod
    def metric(self, num_classes: int) -> Metric:
        """Updated with logits, labels and video numbers of the views; computes named scores."""

    def report(self, scores: Mapping[str, Tensor], class_names: Sequence[str], num_classes: int) -> Report:
        """What the scorecard says of the scores of a test."""
        numbers = {name: value.item() for name, value in scores.items() if value.ndim == 0}
        videos = int(numbers.pop("num_videos"))
        numbers.pop("loss", None)
        return Report(numbers, {name: f"{value:.1%}" for name, value in numbers.items()}, videos)


@dataclass(frozen=True)
class OneLabel(Objective):
    """Softmax and cross-entropy; top-1 and top-5. Targets are classes `(B,)` or mixed vectors `(B, K)`.

    Args:
        label_smoothing: share of the target that is spread over all classes.

    Raises:
        ValueError: it is less than 0, or not less than 1.
    """

    label_smoothing: float = 0.0
    multi_label = False

    def __post_init__(self) -> None:
        check_share(self.label_smoothing)

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy, the mean over the batch."""
        return F.cross_entropy(logits, targets, label_smoothing=self.label_smoothing)

    def probabilities(self, logits: Tensor) -> Tensor:
        """They sum to 1 over the classes."""
        return logits.softmax(-1)

    def metric(self, num_classes: int) -> Metric:
        """Accuracy per clip and per video."""
        return ViewAccuracy(num_classes)

    def report(self, scores: Mapping[str, Tensor], class_names: Sequence[str], num_classes: int) -> Report:
        """Top-1 and top-5, and which class was taken for which."""
        found = super().report(scores, class_names, num_classes)
        top = found.numbers
        rows = {
            f"{kind} top-1 / top-5": f"{top[f'{kind}_top1']:.1%} / {top[f'{kind}_top5']:.1%}"
            for kind in ("clip", "video")
        }
        confusion = scores["confusion"].cpu().numpy()
        names = class_names or [str(label) for label in range(len(confusion))]
        title = f"{found.videos} test videos: {top['video_top1']:.1%} right"
        if not found.videos:
            return Report(top, rows, 0)
        columns = [scores[name].tolist() for name in ("videos", "labels", "answers", "certainty")]
        each = [
            {"video": video, "label": names[label], "answer": names[answer], "probability": round(certainty, 4)}
            for video, label, answer, certainty in zip(*columns, strict=True)
        ]
        right = scores["labels"] == scores["answers"]
        measured = reliability(scores["certainty"].cpu().numpy(), right.cpu().numpy())
        figures: dict[str, Callable[[], Figure]] = {
            "confusion.png": partial(plot_confusion, confusion, names, title),
            **measured_figure(measured, f"{found.videos} test videos"),
        }
        said = explained_by_order(confusion, names)
        numbers, words = {**top, "calibration_error": measured.error}, {**rows, "calibration error": measured.words}
        return Report(numbers, words, found.videos, each, figures, [said] if said else [])


@dataclass(frozen=True)
class MultiLabel(Objective):
    """A sigmoid and binary cross-entropy for each class; mean average precision. For lists with several labels a video
    (Charades, Moments, AVA's kind); targets are `(B, K)`, 1 for each class of the video.

    Args:
        label_smoothing: targets lie half of it inside 0 and 1.

    Raises:
        ValueError: it is less than 0, or not less than 1.
    """

    label_smoothing: float = 0.0
    multi_label = True
    monitor = "val/mAP"
    scores = ("loss", "mAP", "num_videos", "num_classes_scored")

    def __post_init__(self) -> None:
        check_share(self.label_smoothing)

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Binary cross-entropy, the mean over classes and batch."""
        targets = targets * (1 - self.label_smoothing) + self.label_smoothing / 2
        return F.binary_cross_entropy_with_logits(logits, targets)

    def probabilities(self, logits: Tensor) -> Tensor:
        """Each class by itself."""
        return logits.sigmoid()

    def metric(self, num_classes: int) -> Metric:
        """Mean average precision over videos."""
        return ViewPrecision(num_classes)

    def report(self, scores: Mapping[str, Tensor], class_names: Sequence[str], num_classes: int) -> Report:
        """Mean average precision."""
        found = super().report(scores, class_names, num_classes)
        numbers = {**found.numbers, "num_classes": num_classes}
        words = map_in_words(numbers["mAP"], int(numbers["num_classes_scored"]), num_classes)
        rows = {"mean average precision": words}
        if not found.videos:
            return Report(numbers, rows, 0)
        likely, there = (scores[name].flatten().cpu().numpy() for name in ("probabilities", "labels"))
        measured = reliability(likely, there)
        figures = measured_figure(measured, f"{num_classes} classes of {found.videos} test videos")
        return Report(
            numbers | {"calibration_error": measured.error},
            rows | {"calibration error": measured.words},
            found.videos,
            figures=figures,
        )


def measured_figure(measured: Reliability, what: str) -> dict[str, Callable[[], "Figure"]]:
    """`reliability.png` of a report."""
    title = f"{what}: off by {measured.error:.1%}"
    return {"reliability.png": partial(plot_reliability, {title: measured.bars})}


def check_share(label_smoothing: float) -> None:
    """
    Raises:
        ValueError: it is less than 0, or not less than 1.
    """
    if not 0 <= label_smoothing < 1:
        raise Mistake(f"label_smoothing={label_smoothing} must be 0 (none) or more, and less than 1")
