"""A watchdog for decoding: the reader works in a process of its own, which dies where it takes too long."""

import contextlib
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from torch import Tensor

from vidattn.data.errors import DecoderKilledError, DecodeTimeoutError, VideoDecodeError
from vidattn.data.readers import open_video as open_by_name
from vidattn.data.readers.base import Keep, VideoReader
from vidattn.data.readers.helper_process import Call, Close, Frames, Helper, Open
from vidattn.mistakes import Mistake

Result = TypeVar("Result")

AVAILABLE = sys.platform == "linux"
"""Whether processes can be forked safely and killed by a timer of the kernel."""

LONGEST = 24 * 24 * 3600
"""Seconds that a watchdog can wait: the system counts them as milliseconds of 32 bits."""

_TRIED_AGAIN = (DecodeTimeoutError, DecoderKilledError)


class Watchdog:
    """Opens videos in a helper process, and kills it where a step takes longer than `seconds`.

    No thread can stop a decoder or a `read` that hangs in C. So the helper sets a timer of the kernel (SIGALRM) before
    each step, whose default is to end the process, whatever it does; the next video gets a new helper. What crashes the
    decoder ends the helper, not the worker. A helper whose worker is gone ends by itself, within `seconds` at most.

    What took too long is tried once more, by a new helper: a disk may have paused, or the helper was forked while
    another thread of its worker held a lock that nobody releases in the copy. So is what a helper was killed over from
    outside, which may have hit it for the memory of others. Only the second time is an error.

    Frames come back through shared memory. The helper is forked at the first video (not when the watchdog is made), so
    that it belongs to the data worker; one helper serves one video at a time, the one that was opened last.

    Args:
        seconds: for opening, and for each call of `frames`, in each of the two attempts.
        open_video: opens a video in the helper; its arguments are those of `open`.
    """

    def __init__(self, seconds: float, open_video: Callable[..., VideoReader] = open_by_name) -> None:
        if not 0 < seconds <= LONGEST:
            raise Mistake(
                f"decode_timeout={seconds} must be more than 0 seconds, at most {LONGEST} (24 days), or None for none"
            )
        self.seconds = seconds
        self.open_video = open_video
        self.begun = 0  # questions that end what was open: tells whether a reader's video still is
        self._helper: Helper | None = None

    def open(self, path: str, *args: Any) -> VideoReader:
        """A reader on `path`.

        Raises:
            VideoDecodeError: as the reader raises it; or opening crashed.
            DecodeTimeoutError: opening took too long, twice.
            DecoderKilledError: its helper was killed, twice.
        """
        return _RemoteReader(path, self, args)

    def call(self, path: str, function: Callable[..., Result], *args: Any) -> Result:
        """What `function(*args)` returns in the helper; both must pickle.

        Raises:
            VideoDecodeError: it crashed; the message names `path`.
            DecodeTimeoutError: it took too long, twice.
            DecoderKilledError: its helper was killed, twice.
        """
        return _twice(lambda: self.begin(path, Call(function, args)))

    def begin(self, path: str, question: Open | Call) -> Any:
        """The answer to a question that needs no open video; a new helper is started where the last has died."""
        self.begun += 1
        if self._helper is None or not self._helper.is_ours:
            self._helper = Helper(self.open_video, self.seconds)
        return self._helper.ask(path, question)

    def ask(self, path: str, question: Frames) -> Any:
        """What the helper answers that has the video open."""
        assert self._helper is not None
        return self._helper.ask(path, question)

    def close_video(self, path: str) -> None:
        """Free the file that is open; nothing where the helper has died, or dies over it: its frames were read."""
        if self._helper is not None and self._helper.is_ours:
            with contextlib.suppress(VideoDecodeError):
                self._helper.ask(path, Close())

    def close(self) -> None:
        """End the helper."""
        if self._helper is not None and self._helper.is_ours:
            self._helper.end()
        self._helper = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_helper": None}  # a data worker that is spawned gets a helper of its own


class _RemoteReader(VideoReader):
    """The reader that the helper has open."""

    def __init__(self, path: str, watchdog: Watchdog, args: tuple[Any, ...]) -> None:
        self.path = path
        self._watchdog = watchdog
        self._args = args
        self._closed = False
        self.num_frames, self.fps, self.times = _twice(self._open)

    def frames(self, indices: Sequence[int], keep: Keep | None = None) -> Tensor:
        """As the reader's own (`keep` must pickle, and is called in the helper); besides, a VideoDecodeError where it
        takes too long or is killed, twice, or crashes."""
        question = Frames([int(index) for index in indices], keep)
        if self._closed:
            raise Mistake(f"{self.path}: the reader is closed; open the video again")
        if self._begun != self._watchdog.begun:
            raise Mistake(f"{self.path}: another video was opened since by the same watchdog; open this one again")
        try:
            return self._watchdog.ask(self.path, question)
        except _TRIED_AGAIN:
            self._open()
            return self._watchdog.ask(self.path, question)

    def _open(self) -> tuple[int, float, np.ndarray]:
        answer = self._watchdog.begin(self.path, Open((self.path, *self._args)))
        self._begun = self._watchdog.begun
        return answer

    def close(self) -> None:
        """Free the file; closing again does nothing."""
        if not self._closed and self._begun == self._watchdog.begun:
            self._watchdog.close_video(self.path)
        self._closed = True


def _twice(question: Callable[[], Result]) -> Result:
    """The answer to `question`, asked a second time if the first attempt takes too long or is killed."""
    try:
        return question()
    except _TRIED_AGAIN:
        return question()
