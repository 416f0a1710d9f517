"""Mean average precision per video, where a video may have several classes: the scores of its views are averaged."""

import torch
import torch.nn.functional as F
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from vidattn.training.views import first_of_each


class ViewPrecision(Metric):
    """Loss over clips, and over videos the mean over classes of the average precision (as Charades is measured).

    Classes without a video are left out of the mean. Videos that several processes saw count once.

    Args:
        num_classes: K.
    """

    full_state_update = False
    videos: list[Tensor]
    labels: list[Tensor]
    probabilities: list[Tensor]
    losses: list[Tensor]

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes
        for state in ("videos", "labels", "probabilities", "losses"):
            self.add_state(state, default=[], dist_reduce_fx="cat")
        self.reset()

    def reset(self) -> None:
        """Forget all videos."""
        super().reset()
        # Rows that agree in type and width also where a process has no video: see `ViewAccuracy`.
        none = torch.empty(0, self.num_classes, device=self.device)
        self._add(none[:, 0].long(), none, none, none[:, 0])

    def update(self, logits: Tensor, labels: Tensor, video_ids: Tensor) -> None:
        """Add clips: logits and labels `(V, K)`, video numbers `(V,)`, all views of a video in one call."""
        logits, labels = logits.float(), labels.float()
        videos, owner = video_ids.unique(return_inverse=True)
        views = torch.bincount(owner, minlength=len(videos))[:, None]

        def mean(per_view: Tensor) -> Tensor:
            return per_view.new_zeros(len(videos), per_view.shape[1]).index_add_(0, owner, per_view) / views

        losses = F.binary_cross_entropy_with_logits(logits, labels, reduction="none").mean(-1, keepdim=True)
        self._add(videos, mean(labels), mean(logits.sigmoid()), mean(losses)[:, 0])

    def compute(self) -> dict[str, Tensor]:
        """`loss`, `mAP` in [0, 1] (NaN without videos), `num_videos`, and `num_classes_scored`: with a video."""
        once = first_of_each(dim_zero_cat(self.videos))
        labels, probabilities = dim_zero_cat(self.labels)[once].long(), dim_zero_cat(self.probabilities)[once]
        each = average_precision(probabilities, labels)
        return {
            "loss": dim_zero_cat(self.losses)[once].mean(),
            "mAP": each.nanmean(),
            "num_videos": torch.tensor(len(labels), device=labels.device),
            "num_classes_scored": (~each.isnan()).sum(),
        }

    def _add(self, videos: Tensor, labels: Tensor, probabilities: Tensor, losses: Tensor) -> None:
        self.videos.append(videos)
        self.labels.append(labels)
        self.probabilities.append(probabilities)
        self.losses.append(losses)


def average_precision(scores: Tensor, hits: Tensor) -> Tensor:
    """`(n, K)` scores and 0 or 1 -> `(K,)`: the mean, over a class's videos, of the share of hits down to each.

    Videos with one score share one place, the last of them, so that their order does not count. NaN for a class without
    videos.
    """
    count = len(scores)
    ranked, order = scores.T.contiguous().sort(dim=1, descending=True)  # (K, n)
    found = hits.T.gather(1, order).double()
    last = count - torch.searchsorted(ranked.flip(1).contiguous(), ranked.contiguous())  # places down to the last equal
    down_to = found.cumsum(1).gather(1, (last - 1).clamp(min=0)) / last
    return (down_to * found).sum(1) / found.sum(1)


def map_in_words(value: float, scored: int, num_classes: int) -> str:
    """
    >>> map_in_words(0.5, 6, 6), map_in_words(0.5, 4, 6), map_in_words(float("nan"), 0, 6)
    ('50.0%', '50.0% over 4 of 6 classes, the others have no video', 'none: no video has a class')
    """
    if not scored:
        return "none: no video has a class"
    return f"{value:.1%}" + (
        f" over {scored:.0f} of {num_classes} classes, the others have no video" * (scored < num_classes)
    )
