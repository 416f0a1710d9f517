"""Loss and accuracy per clip and per video: the views of a video are averaged, and each video counts once."""

import torch
import torch.nn.functional as F
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat


class ViewAccuracy(Metric):
    """Loss, top-1 and top-5 over clips, and top-1 and top-5 over videos by the mean of their clips' softmax.

    TimeSformer, https://arxiv.org/abs/2102.05095, section 4: scores of the views are averaged. Videos that several
    processes saw (a sampler may repeat some to fill the last batch) count once. Memory: one row of K numbers per
    video.

    Args:
        num_classes: K.
    """

    full_state_update = False
    videos: list[Tensor]
    labels: list[Tensor]
    probabilities: list[Tensor]
    clip_hits: list[Tensor]
    clip_losses: list[Tensor]

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes
        for state in ("videos", "labels", "probabilities", "clip_hits", "clip_losses"):
            self.add_state(state, default=[], dist_reduce_fx="cat")
        self.reset()

    def reset(self) -> None:
        """Forget all videos."""
        super().reset()
        # No rows, but of the right type and width: what processes gather from one another must agree in both, also
        # where one of them has no video at all.
        none = torch.empty(0, dtype=torch.int64, device=self.device)
        self._add(none, none, none.new_empty(0, self.num_classes).float(), none.new_empty(0, 2).float(), none.float())

    def update(self, logits: Tensor, labels: Tensor, video_ids: Tensor) -> None:
        """Add clips: logits `(V, K)`, labels `(V,)` and video numbers `(V,)`, all views of a video in one call.

        Clips without a label (-1) are left out.
        """
        known = labels >= 0
        logits, labels, video_ids = logits[known].float(), labels[known], video_ids[known]
        videos, owner = video_ids.unique(return_inverse=True)
        views = torch.bincount(owner, minlength=len(videos))

        def mean(per_view: Tensor) -> Tensor:
            total = per_view.new_zeros(len(videos), per_view.shape[1])
            return total.index_add_(0, owner, per_view) / views[:, None]

        probabilities = logits.softmax(-1)
        first_view = torch.zeros_like(videos).index_copy_(0, owner, torch.arange(len(owner), device=owner.device))
        self._add(
            videos,
            labels[first_view],
            mean(probabilities),
            mean(top_hits(probabilities, labels).float()),
            mean(F.cross_entropy(logits, labels, reduction="none")[:, None])[:, 0],
        )

    def compute(self) -> dict[str, Tensor]:
        """`loss` and `clip_top1`, `clip_top5`, `video_top1`, `video_top5` in [0, 1] (NaN without videos), `num_videos`,
        and `confusion`: `(K, K)` numbers of videos, rows true classes, columns answers."""
        once = first_of_each(dim_zero_cat(self.videos))
        labels, probabilities = dim_zero_cat(self.labels)[once], dim_zero_cat(self.probabilities)[once]
        clip = dim_zero_cat(self.clip_hits)[once].mean(0)
        video = top_hits(probabilities, labels).float().mean(0)
        pairs = torch.bincount(labels * self.num_classes + probabilities.argmax(-1), minlength=self.num_classes**2)
        return {
            "loss": dim_zero_cat(self.clip_losses)[once].mean(),
            "clip_top1": clip[0],
            "clip_top5": clip[1],
            "video_top1": video[0],
            "video_top5": video[1],
            "num_videos": torch.tensor(len(labels), device=labels.device),
            "confusion": pairs.view(self.num_classes, self.num_classes),
        }

    def _add(self, videos: Tensor, labels: Tensor, probabilities: Tensor, hits: Tensor, losses: Tensor) -> None:
        self.videos.append(videos)
        self.labels.append(labels)
        self.probabilities.append(probabilities)
        self.clip_hits.append(hits)
        self.clip_losses.append(losses)


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
