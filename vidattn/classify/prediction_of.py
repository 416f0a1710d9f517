"""An answer about one video from what the network was shown of it and what it said."""

from collections.abc import Sequence

import numpy as np

from vidattn.calibration.calibration import Threshold
from vidattn.classify.clip_views import ClipViews
from vidattn.classify.prediction import Prediction, doubts
from vidattn.classify.preparation import averaged
from vidattn.classify.show.strip import Strip


def prediction_of(
    views: ClipViews,
    probabilities: np.ndarray,
    class_names: list[str],
    threshold: Threshold | None,
    notes: Sequence[str],
) -> Prediction:
    """The answer with all that has to be known of it.

    Args:
        views: what the network was shown.
        probabilities: `(K,)`, the mean over them.
        class_names: K names.
        threshold: below which there is none, if any.
        notes: on every answer.
    """
    count = len(views.video)
    said = [*doubts(threshold, probabilities), *notes, *views.notes, *averaged(count)]
    strip = Strip.of(*views.middle)
    return Prediction(views.path, class_names, probabilities, count, strip, said, threshold)
