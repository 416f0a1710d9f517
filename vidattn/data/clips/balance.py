"""How often each video is visited in an epoch: some classes or videos may come more often than others."""

import csv
import os
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from vidattn.data.videos.identity import absolute
from vidattn.data.videos.manifest import Video
from vidattn.mistakes import Mistake


class Balance(Protocol):
    """A rule that draws the order of an epoch. All processes draw the same, and deal the places out among them."""

    def draw(self, videos: Sequence[Video], generator: torch.Generator) -> list[int]:
        """As many numbers of videos as there are videos, in random order; some more often than others."""


@dataclass(frozen=True)
class ClassBalanced:
    """Every class comes as often as the others, give or take one; within a class every video does.

    >>> videos = [Video("a", 0)] * 6 + [Video("b", 1)] * 2
    >>> sorted(ClassBalanced().draw(videos, torch.Generator().manual_seed(0)))[-4:]
    [6, 6, 7, 7]

    Args:
        power: 1 for equal classes, 0 for the classes as they are, in between for a compromise: a class of n videos
            comes as often as n to the power of `1 - power`. Square-root sampling is 0.5.
    """

    power: float = 1.0

    def draw(self, videos: Sequence[Video], generator: torch.Generator) -> list[int]:
        """The order of an epoch.

        Raises:
            ValueError: a video has no class, or may have several.
        """
        labels = [video.label for video in videos]
        if None in labels:
            raise Mistake(
                "data.balance=ClassBalanced needs one class for each video; "
                "for lists without labels or with several a video use vidattn.data.Weighted"
            )
        sizes = Counter(labels)
        # Class by class: so the evenly spaced draws below fall on each class evenly as well.
        order = torch.randperm(len(videos), generator=generator)
        order = order[torch.tensor([labels[i] for i in order.tolist()]).argsort(stable=True)]
        weights = torch.tensor([sizes[labels[i]] ** -self.power for i in order.tolist()], dtype=torch.float64)
        return _draw(order, weights, generator)


@dataclass(frozen=True)
class Weighted:
    """Each video comes in proportion to its weight, its number of visits rounded up or down at random.

    Args:
        weights: CSV file with the columns `path,weight`, relative paths from its own folder; videos that are not in it
            weigh 1.
    """

    weights: str

    def draw(self, videos: Sequence[Video], generator: torch.Generator) -> list[int]:
        """The order of an epoch.

        Raises:
            ValueError: the file is missing or no such CSV, a weight is negative or not finite, or all of them are for
                other videos.
        """
        by_path = self._read()
        paths = [absolute(video.path) for video in videos]
        if unknown := by_path.keys() - set(paths):
            problem = f"{len(unknown)} of {len(by_path)} paths are no videos of the list, e.g. {min(unknown)}"
            if len(unknown) == len(by_path):
                raise Mistake(f"{self.weights}: {problem}; expected paths such as {paths[0]}")
            warnings.warn(f"{self.weights}: {problem}", stacklevel=2)
        order = torch.randperm(len(videos), generator=generator)
        weights = [by_path.get(paths[i], 1.0) for i in order.tolist()]
        return _draw(order, torch.tensor(weights, dtype=torch.float64), generator)

    def _read(self) -> dict[str, float]:
        folder = os.path.dirname(os.path.abspath(self.weights))
        weights = {}
        try:
            lines = Path(self.weights).read_text(encoding="utf-8-sig", errors="surrogateescape").splitlines()
        except OSError as error:
            raise Mistake(f"cannot read weights={self.weights} ({error}); expected a CSV, `path,weight`") from error
        for line, row in enumerate(csv.reader(lines), start=1):
            if row == ["path", "weight"] or not row:
                continue
            try:
                path, weight = row[0], float(row[1])
            except (IndexError, ValueError):
                weight = -1.0
            if not 0 <= weight < float("inf"):
                raise Mistake(f"{self.weights}, line {line}: {','.join(row)!r}; expected `path,weight`, 0 or more")
            weights[path if "://" in path else os.path.abspath(os.path.join(folder, path))] = weight
        return weights


def _draw(order: Tensor, weights: Tensor, generator: torch.Generator) -> list[int]:
    """`len(order)` draws at even distances over the summed weights, shuffled: systematic sampling."""
    ends = weights.cumsum(0)
    if not ends[-1] > 0:
        raise Mistake("all videos weigh 0; give one of them more")
    start = torch.rand((), generator=generator, dtype=torch.float64)
    points = (torch.arange(len(order), dtype=torch.float64) + start) / len(order) * ends[-1]
    drawn = order[torch.searchsorted(ends, points, right=True).clamp(max=len(order) - 1)]
    return drawn[torch.randperm(len(order), generator=generator)].tolist()
