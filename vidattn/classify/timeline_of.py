"""A classifier's answers about windows that slide over one video, in one pass over the file."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.markup import escape
from rich.progress import track

from vidattn.classify.preparation import cut_off, repeats
from vidattn.classify.show.strip import StripPicker
from vidattn.classify.sources import One, open_source
from vidattn.classify.timeline import Timeline, TimelineInterrupted
from vidattn.classify.view_means import means_in_batches
from vidattn.classify.windows import WindowedVideo
from vidattn.data.readers.in_memory import FramesReader
from vidattn.data.readers.pyav import PyAVReader
from vidattn.wording import printable

if TYPE_CHECKING:
    from vidattn.classify.classifier import Classifier


def timeline_of(
    classifier: "Classifier", source: One, window: float | None, step: float | None, fps: float, progress: bool
) -> Timeline:
    """What `Classifier.timeline` returns; arguments and errors are its."""
    with open_source(source, "pyav", fps) as reader:
        assert isinstance(reader, (PyAVReader, FramesReader))
        video = WindowedVideo(reader, classifier.preparation, window, step)
        picker = StripPicker(video.times, video.clips)
        label = f"{escape(printable(Path(reader.path).name))}, {video.duration:.0f} s"
        crops = track(picker.watch(video.clips, video.crops()), label, len(video.clips), disable=not progress)
        # One block for all: thousands of small arrays between the large ones of the network would tear memory up.
        rows = np.empty((len(video.windows), len(classifier.class_names)))
        notes = [*classifier.notes, *repeats(video.clips, "window"), *cut_off(reader)]
        threshold, answered = classifier.calibration.threshold, 0
        try:
            for answered, row in enumerate(means_in_batches(classifier.probabilities, crops, classifier.batch_size), 1):
                rows[answered - 1] = row
        except KeyboardInterrupt as end:
            if not answered:
                raise
            part = video.windows[:answered], rows[:answered]
            timeline = Timeline(reader.path, classifier.class_names, *part, picker.strip(), notes, threshold)
            raise TimelineInterrupted(timeline, video.duration) from end
    if threshold is not None and (rows.max(axis=1) < threshold.least).any():
        notes = [threshold.words, *notes]
    return Timeline(reader.path, classifier.class_names, video.windows, rows, picker.strip(), notes, threshold)
