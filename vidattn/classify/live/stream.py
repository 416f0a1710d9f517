"""Answers about a stream at a stated rate, for as long as it lasts."""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Self

from vidattn.checks import check_above_zero
from vidattn.classify.live.answer import LiveAnswer
from vidattn.classify.live.answering import answering
from vidattn.classify.live.feed import Feed
from vidattn.classify.live.ring import Ring
from vidattn.data.clips.sampling import OfficialSampling, SecondsSampling
from vidattn.data.errors import VideoDecodeError
from vidattn.data.readers.live_frames import LiveFrames

if TYPE_CHECKING:
    from vidattn.classify.classifier import Classifier

_USUAL = 30.0  # frames per second


class Live(Iterator[LiveAnswer]):
    """Yields answers while frames come; made by `Classifier.live`. Leave it by `close` or a `with` where it does not
    end.

    Args:
        classifier: whose network answers.
        frames: the open source.
        step: seconds from answer to answer; half a window by default.
        window: seconds that an answer is about; by default as long as a clip in training.
        clock: seconds, for how late answers are, and for frames that do not say when they are shown.

    Attributes:
        notes: what was assumed.
        ring: what is held of the stream, and counts of what has come and was dropped.

    Raises:
        ValueError: step or window are not positive.
    """

    def __init__(
        self,
        classifier: "Classifier",
        frames: LiveFrames,
        step: float | None,
        window: float | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        preparation = classifier.preparation
        self.notes = list(classifier.notes)
        if window is None:
            timed = isinstance(preparation.sampling, (SecondsSampling, OfficialSampling))
            if frames.fps is None and not timed:
                self.notes.append(f"the stream does not say how many frames come in a second; taken for {_USUAL:g}")
            window = preparation.natural_window(frames.fps or _USUAL)
        step = window / 2 if step is None else step
        check_above_zero(window=window, step=step)
        self.classifier, self._clock = classifier, clock
        count = preparation.sampling.num_frames
        self.ring = Ring(count, window / count, step)
        self._name = frames.name
        self._feed = Feed(frames, self.ring, preparation.crops, clock)
        self._answer = answering(classifier)
        self._begun = self._answered = False

    def __next__(self) -> LiveAnswer:
        if not self._begun:
            self._begun = True
            self._feed.start()
        window = self._feed.take()
        if window is None:
            self._check_some()
            raise StopIteration
        row = self._answer(window)
        self._answered = True
        ring, frames = self.ring, window.frames
        return LiveAnswer(
            frames[0].seconds,
            frames[-1].seconds,
            self.classifier.class_names,
            row,
            self._clock() - window.came,
            len(frames) - len(set(frames)),
            ring.frames,
            ring.dropped,
            ring.skipped,
            self.classifier.calibration.threshold,
        )

    def _check_some(self) -> None:
        if not self._answered:
            had, wanted = self.ring.seconds, self.ring.span
            raise VideoDecodeError(
                self._name,
                f"the stream ended after {self.ring.frames} frames ({had:.1f} s), before the {wanted:.1f} s of a first "
                "answer; give a shorter window (window=...), or a stream that lasts",
            )

    def close(self) -> None:
        """Read no more of the stream."""
        self._feed.stop()
        if not self._begun:
            self._feed.source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
