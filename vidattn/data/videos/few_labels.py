"""A list of which only some videos are used: how much is learnt from few labels."""

import random
from collections import defaultdict
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
        order = list(range(len(manifest.videos)))
        random.Random(self.draw).shuffle(order)
        drawn: dict[int | None, list[int]] = defaultdict(list)
        for place in order:
            drawn[manifest.videos[place].label].append(place)
        kept = sorted(place for places in drawn.values() for place in places[: self.per_class])
        return replace(manifest, videos=[manifest.videos[place] for place in kept])
