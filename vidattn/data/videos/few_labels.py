"""A list of which only some videos are used: how much is learnt from few labels."""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from vidattn.checks import check_positive
from vidattn.data.videos.manifest import Manifest, ManifestError


@dataclass(frozen=True)
class FewLabels:
    """So many videos of each class, drawn from the list of training; fewer draws of one number hold one another: the
    four videos of a class are among its sixteen.

    Args:
        per_class: videos of each class; all where there are fewer.
        draw: number of the draw.

    Raises:
        ValueError: `per_class` is below 1.
    """

    per_class: int
    draw: int = 0

    def __post_init__(self) -> None:
        check_positive(per_class=self.per_class)

    def of(self, manifest: Manifest) -> Manifest:
        """The list with those videos alone, in its own order.

        Raises:
            ManifestError: its videos have no class, or several.
        """
        if manifest.multi_label or not all(video.label is not None for video in manifest.videos):
            kind = "videos with several labels" if manifest.multi_label else "videos without a label"
            raise ManifestError(f"{manifest.source}: few_labels draws videos of each class, and the list has {kind}")
        kept = few([video.label for video in manifest.videos], self.per_class, self.draw)
        return replace(manifest, videos=[manifest.videos[place] for place in kept])


def few(labels: Sequence[int | None], per_class: int, draw: int) -> list[int]:
    """Places of so many videos of each class, all where there are fewer.

    >>> few([0, 0, 0, 1], 2, draw=0)
    [0, 2, 3]
    """
    order = list(range(len(labels)))
    random.Random(draw).shuffle(order)
    drawn: dict[int | None, list[int]] = defaultdict(list)
    for place in order:
        drawn[labels[place]].append(place)
    return sorted(place for places in drawn.values() for place in places[:per_class])
