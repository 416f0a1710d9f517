"""Where a classifier looked in the middle clip of a video."""

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from vidattn.classify.exploration_of import exploration_of
from vidattn.classify.numbers import check_numbers
from vidattn.classify.sources import One
from vidattn.explain.explanation import Explanation, explain

if TYPE_CHECKING:
    from vidattn.classify.classifier import Classifier


def explanation_of(
    classifier: "Classifier", source: One, class_name: str | None, gradients: bool, fps: float
) -> Explanation:
    """See `Classifier.explain`, which this is."""
    views = classifier.views(source, fps)
    clip, seconds = views.middle
    explanation = explain(
        classifier.network,
        classifier.normalize,
        clip,
        classifier.class_names,
        class_name,
        gradients,
        seconds,
        classifier.notes + views.notes,
        classifier.multi_label,
        calibration=classifier.calibration,
    )
    check_numbers(torch.tensor(explanation.probability), classifier.network)
    return replace(explanation, exploring=lambda heads: exploration_of(classifier, source, heads, fps))
