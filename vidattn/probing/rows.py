"""Features with their labels, as probes take them."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vidattn.mistakes import Mistake


@dataclass(frozen=True, eq=False)
class LabelledRows:
    """The views of N videos in a row each, and the videos' classes.

    Args:
        views: of each video `(V, D)`; V may differ.
        labels: `(N,)`, from 0.

    Raises:
        ValueError: there are no videos, more or fewer labels, or a video without a view.
    """

    views: Sequence[Tensor]
    labels: Tensor

    def __post_init__(self) -> None:
        if not len(self.views) or len(self.views) != len(self.labels):
            raise Mistake(
                f"{len(self.views)} videos with {len(self.labels)} labels; wanted one label for each, and a video"
            )
        if not all(len(views) for views in self.views):
            raise Mistake("a video has no view; leave it out")

    def __len__(self) -> int:
        return len(self.views)

    @property
    def width(self) -> int:
        """D."""
        return self.views[0].shape[-1]

    def take(self, places: Sequence[int]) -> "LabelledRows":
        """Some of the videos, in this order."""
        return LabelledRows([self.views[place] for place in places], self.labels[list(places)])

    def draw(self, places: Sequence[int], generator: torch.Generator) -> Tensor:
        """A view of each of these videos, as likely as the others of its video; float32 `(len(places), D)`."""
        draws = torch.rand(len(places), generator=generator).tolist()
        chosen = [
            self.views[place][int(draw * len(self.views[place]))] for place, draw in zip(places, draws, strict=True)
        ]
        return torch.stack(chosen).float()

    def means(self) -> Tensor:
        """The mean over the views of each video, float32 `(N, D)`."""
        return torch.stack([views.float().mean(0) for views in self.views])

    def moments(self) -> tuple[Tensor, Tensor]:
        """Mean and deviation of each number over all views, `(D,)`; 1 where it is the same everywhere."""
        count = sum(len(views) for views in self.views)
        mean = torch.stack([views.double().sum(0) for views in self.views]).sum(0) / count
        squares = torch.stack([(views.double() - mean).square().sum(0) for views in self.views])
        deviation = (squares.sum(0) / count).sqrt()
        return mean.float(), torch.where(deviation > 1e-6 * deviation.max().clamp_min(1e-12), deviation, 1.0).float()
