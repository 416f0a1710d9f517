"""Scores per clip and per video: the views of a video are averaged, and each video counts once."""

from abc import ABC, abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat


class ViewMetric(Metric, ABC):
    """Keeps one row of numbers for each video, the mean over its views.

    TimeSformer, https://arxiv.org/abs/2102.05095, section 4: scores of the views are averaged. Videos that several
    processes saw (a sampler may repeat some to fill the last batch) count once. Memory: a row for each video.

    Args:
        num_classes: K.
        columns: what `rows` tells of a view, by name.
        no_labels: labels of no view at all, in the shape that they have.
    """

    full_state_update = False
    videos: list[Tensor]

    def __init__(self, num_classes: int, columns: tuple[str, ...], no_labels: Tensor) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.columns = columns
        self._no_labels = no_labels
        for state in ("videos", *columns):
            self.add_state(state, default=[], dist_reduce_fx="cat")
        self.reset()

    @abstractmethod
    def rows(self, logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Logits `(V, K)` and the labels of V views -> what is averaged over a video's views, `(V, ...)` by column."""

    def reset(self) -> None:
        """Forget all videos."""
        super().reset()
        # No rows, but of the right type and width: what processes gather from one another must agree in both, also
        # where one of them has no video at all.
        none = torch.empty(0, self.num_classes, device=self.device)
        self.videos.append(none[:, 0].long())
        for name, values in self.rows(none, self._no_labels.to(self.device)).items():
            getattr(self, name).append(values)

    def update(self, logits: Tensor, labels: Tensor, video_ids: Tensor) -> None:
        """Add views: logits `(V, K)`, labels and video numbers `(V,)`, all views of a video in one call."""
        videos, owner = video_ids.unique(return_inverse=True)
        views = torch.bincount(owner, minlength=len(videos))
        self.videos.append(videos)
        for name, values in self.rows(logits.float(), labels).items():
            total = values.new_zeros(len(videos), *values.shape[1:]).index_add_(0, owner, values)
            getattr(self, name).append(total / views.view(-1, *[1] * (values.ndim - 1)))

    def _each_video_once(self) -> list[Tensor]:
        once = first_of_each(dim_zero_cat(self.videos))
        return [dim_zero_cat(getattr(self, name))[once] for name in self.columns]


class ViewAccuracy(ViewMetric):
    """Loss, top-1 and top-5 over clips, and top-1 and top-5 over videos by the mean of their clips' softmax.

    Args:
        num_classes: K.
    """

    def __init__(self, num_classes: int) -> None:
        columns = ("labels", "probabilities", "clip_hits", "clip_losses")
        super().__init__(num_classes, columns, torch.empty(0, dtype=torch.int64))

    def update(self, logits: Tensor, labels: Tensor, video_ids: Tensor) -> None:
        """As `ViewMetric`'s, with labels `(V,)`. Clips without a label (-1) are left out."""
        known = labels >= 0
        super().update(logits[known], labels[known], video_ids[known])

    def rows(self, logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Views of a video have the same label: its mean is the label itself."""
        probabilities = logits.softmax(-1)
        return {
            "labels": labels.float(),
            "probabilities": probabilities,
            "clip_hits": top_hits(probabilities, labels).float(),
            "clip_losses": F.cross_entropy(logits, labels, reduction="none"),
        }

    def compute(self) -> dict[str, Tensor]:
        """`loss` and `clip_top1`, `clip_top5`, `video_top1`, `video_top5` in [0, 1] (NaN without videos), `num_videos`,
        and `confusion`: `(K, K)` numbers of videos, rows true classes, columns answers. Of each video, `(n,)`:
        `videos`, its number, ascending; `labels`; `answers`; and `certainty`, the answer's probability."""
        labels, probabilities, hits, losses = self._each_video_once()
        labels = labels.round().long()
        certainty, answers = probabilities.max(-1)
        clip, video = hits.mean(0), top_hits(probabilities, labels).float().mean(0)
        pairs = torch.bincount(labels * self.num_classes + answers, minlength=self.num_classes**2)
        return {
            "loss": losses.mean(),
            "clip_top1": clip[0],
            "clip_top5": clip[1],
            "video_top1": video[0],
            "video_top5": video[1],
            "num_videos": torch.tensor(len(labels), device=labels.device),
            "confusion": pairs.view(self.num_classes, self.num_classes),
            "videos": dim_zero_cat(self.videos).unique(),
            "labels": labels,
            "answers": answers,
            "certainty": certainty,
        }


class ViewPrecision(ViewMetric):
    """Loss over clips, and over videos the mean over classes of the average precision (as Charades is measured).

    Classes without a video are left out of the mean.

    Args:
        num_classes: K.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__(num_classes, ("labels", "probabilities", "losses"), torch.empty(0, num_classes))

    def rows(self, logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Labels are `(V, K)`, 1 for each class of the video."""
        labels = labels.float()
        losses = F.binary_cross_entropy_with_logits(logits, labels, reduction="none").mean(-1)
        return {"labels": labels, "probabilities": logits.sigmoid(), "losses": losses}

    def compute(self) -> dict[str, Tensor]:
        """`loss`, `mAP` in [0, 1] (NaN without videos), `num_videos`, and `num_classes_scored`: with a video. And of
        each video `probabilities` and `labels`, `(n, K)`."""
        labels, probabilities, losses = self._each_video_once()
        each = average_precision(probabilities, labels.long())
        return {
            "loss": losses.mean(),
            "mAP": each.nanmean(),
            "num_videos": torch.tensor(len(labels), device=labels.device),
            "num_classes_scored": (~each.isnan()).sum(),
            "probabilities": probabilities,
            "labels": labels,
        }


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


def top_hits(scores: Tensor, labels: Tensor) -> Tensor:
    """Whether the label is the first, and whether it is among the first five: bool `(n, 2)` from scores `(n, K)`."""
    ranked = scores.topk(min(5, scores.shape[-1]), dim=-1).indices == labels[:, None]
    return torch.stack((ranked[:, 0], ranked.any(-1)), dim=-1)


def first_of_each(values: Tensor) -> Tensor:
    """Where each distinct value stands first, in the order of the values."""
    order = values.argsort(stable=True)
    ranked = values[order]
    starts = torch.ones_like(ranked, dtype=torch.bool)
    starts[1:] = ranked[1:] != ranked[:-1]
    return order[starts]
