"""What a classifier's network says of listed videos, before it becomes probabilities."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from torch import Tensor

from vidattn.classify.classifier import Classifier
from vidattn.classify.listed_views import listed_views
from vidattn.data.videos.manifest import Video


@dataclass(frozen=True, eq=False)
class VideoLogits:
    """The logits of all views of N videos.

    Args:
        videos: that could be read.
        views: float32 `(V, K)` of each; V may differ.
        skipped: file and reason of each that could not be read.
    """

    videos: list[Video]
    views: list[Tensor]
    skipped: list[tuple[str, str]]

    @classmethod
    def of(cls, classifier: Classifier, videos: Sequence[Video], label: str = "Reading") -> "VideoLogits":
        """Show each video to the network, as the classifier's preparation says.

        Args:
            classifier: whose network answers.
            videos: the parts of files that are meant.
            label: of the bar that is shown on a terminal.
        """
        console = Console(stderr=True)
        kept: dict[int, Tensor] = {}
        skipped: list[tuple[str, str]] = []
        loader = listed_views(videos, classifier.preparation, classifier.reader, classifier.batch_size)
        for batch in track(loader, label, console=console, disable=not console.is_terminal):
            skipped += batch["skipped"]
            if len(batch["video"]):
                logits, ids = classifier.logits(batch["video"]), batch["video_id"]
                kept |= {int(place): logits[ids == place] for place in ids.unique()}
        return cls([videos[place] for place in kept], list(kept.values()), skipped)

    def answers(self, probabilities: Callable[[Tensor], Tensor]) -> np.ndarray:
        """The answers about the videos, `(N, K)`: the mean over views of their probabilities."""
        return torch.stack([probabilities(views.double()).mean(0) for views in self.views]).numpy()

    def targets(self, num_classes: int | None) -> np.ndarray:
        """Classes `(N,)`, or 0 and 1 `(N, K)` where there are several a video (K is given)."""
        if num_classes is None:
            return np.array([video.label for video in self.videos])
        marked = np.zeros((len(self.videos), num_classes))
        for row, video in zip(marked, self.videos, strict=True):
            row[list(video.labels)] = 1
        return marked
