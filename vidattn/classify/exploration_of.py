"""What the patches of the middle clip of a video look at, as a page to explore."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vidattn.classify.sources import One
from vidattn.explain.explorer import MEAN, Exploration, explore

if TYPE_CHECKING:
    from vidattn.classify.classifier import Classifier


def exploration_of(
    classifier: "Classifier", source: One, heads: str | Sequence[int] = MEAN, fps: float = 30.0
) -> Exploration:
    """The weights of all steps for the middle clip of one video; see `vidattn.explain.explorer.explore`.

    Args:
        classifier: what is asked.
        source: one video; see `Classifier`.
        heads: beside their mean, the heads to keep, counted from 0, or "all".
        fps: frames per second of frames given as an array.

    Raises:
        VideoDecodeError: the video cannot be read.
        ValueError: there is no such head.
        MemoryError: the clip has too many tokens for its attention weights to be kept.
    """
    views = classifier.views(source, fps)
    clip, seconds = views.middle
    return explore(
        classifier.network,
        classifier.normalize,
        clip,
        classifier.class_names,
        Path(source).name if isinstance(source, str | Path) else "clip",
        seconds,
        heads,
        notes=classifier.notes + views.notes,
        multi_label=classifier.multi_label,
        calibration=classifier.calibration,
    )
