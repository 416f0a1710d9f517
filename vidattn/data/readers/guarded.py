"""A watchdog for decoding: the reader works in a process of its own, which dies where it takes too long."""

import contextlib
import gc
import mmap
import os
import pickle
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, Pipe
from typing import Any, NoReturn, TypeVar

import numpy as np
import torch
from torch import Tensor

from vidattn.data.errors import DecoderKilledError, DecodeTimeoutError, VideoDecodeError
from vidattn.data.readers import open_video as open_by_name
from vidattn.data.readers.base import Keep, VideoReader
from vidattn.mistakes import Mistake

Result = TypeVar("Result")

AVAILABLE = sys.platform == "linux"
"""Whether processes can be forked safely and killed by a timer of the kernel."""

LONGEST = 24 * 24 * 3600
"""Seconds that a watchdog can wait: the system counts them as milliseconds of 32 bits."""

_SHARED_BYTES = 256 << 20  # of address space: memory is used only as far as clips reach
_TRIED_AGAIN = (DecodeTimeoutError, DecoderKilledError)
_GRACE = 2.0  # seconds that a process has to die by its own timer; one that waits for a dead disk does not


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
        self._helper: _Helper | None = None

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
        return _twice(lambda: self.begin(path, "call", function, args))

    def begin(self, path: str, command: str, *args: Any) -> Any:
        """What a helper answers that need not have anything open: a new one where the last has died."""
        self.begun += 1
        if self._helper is None or not self._helper.is_ours:
            self._helper = _Helper(self.open_video, self.seconds)
        return self._helper.ask(path, command, *args)

    def ask(self, path: str, command: str, *args: Any) -> Any:
        """What the helper answers that has the video open."""
        assert self._helper is not None
        return self._helper.ask(path, command, *args)

    def close_video(self, path: str) -> None:
        """Free the file that is open; nothing where the helper has died, or dies over it: its frames were read."""
        if self._helper is not None and self._helper.is_ours:
            with contextlib.suppress(VideoDecodeError):
                self._helper.ask(path, "close")

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
        question = ([int(index) for index in indices], *([] if keep is None else [keep]))
        if self._closed:
            raise Mistake(f"{self.path}: the reader is closed; open the video again")
        if self._begun != self._watchdog.begun:
            raise Mistake(f"{self.path}: another video was opened since by the same watchdog; open this one again")
        try:
            return self._watchdog.ask(self.path, "frames", *question)
        except _TRIED_AGAIN:
            self._open()
            return self._watchdog.ask(self.path, "frames", *question)

    def _open(self) -> tuple[int, float, np.ndarray]:
        answer = self._watchdog.begin(self.path, "open", self.path, *self._args)
        self._begun = self._watchdog.begun
        return answer

    def close(self) -> None:
        """Free the file; closing again does nothing."""
        if not self._closed and self._begun == self._watchdog.begun:
            self._watchdog.close_video(self.path)
        self._closed = True


def _twice(question: Callable[[], Result]) -> Result:
    """What it answers, in a second attempt if the first takes too long or is killed."""
    try:
        return question()
    except _TRIED_AGAIN:
        return question()


class _Helper:
    """The process: forked here, it serves until its connection closes."""

    def __init__(self, open_video: Callable[..., VideoReader], seconds: float) -> None:
        self.seconds = seconds
        self.memory = mmap.mmap(-1, _SHARED_BYTES)
        self.connection, theirs = Pipe()
        self.owner = os.getpid()
        with warnings.catch_warnings():
            # Python warns of forking beside threads. The helper decodes on one thread and takes none of their locks.
            warnings.simplefilter("ignore", DeprecationWarning)
            self.pid = os.fork()
        if self.pid == 0:
            self.connection.close()
            _serve(theirs, self.memory, open_video, seconds)
        theirs.close()
        self.alive = True

    @property
    def is_ours(self) -> bool:
        """Whether it runs, and was not inherited by forking."""
        return self.alive and self.owner == os.getpid()

    def ask(self, path: str, command: str, *args: Any) -> Any:
        """One question, one answer.

        Raises:
            DecodeTimeoutError: the helper took too long.
            DecoderKilledError: it was killed from outside.
            VideoDecodeError: it died.
        """
        if not self.alive:
            raise VideoDecodeError(path, "its reader has died; open the video again")
        try:
            self.connection.send((command, args))
            answered = self.connection.poll(self.seconds + _GRACE)
            answer = self.connection.recv() if answered else None
            if command == "frames" and isinstance(answer, tuple):
                answer = self._frames(*answer)
        except (EOFError, ConnectionError):
            raise self._death(path) from None
        except BaseException:
            self.end()  # interrupted: its answer would be taken for that to the next question
            raise
        if not answered:
            self.end(wait=False)  # one that waits for a dead disk ends when that answers
            raise self._given_up(path)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def end(self, wait: bool = True) -> None:
        """Kill the process and free what it held."""
        self.alive = False
        self.connection.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0 if wait else os.WNOHANG)

    def _frames(self, shape: tuple[int, ...], is_shared: bool) -> Tensor:
        count = int(np.prod(shape))
        if is_shared:
            return torch.frombuffer(self.memory, dtype=torch.uint8, count=count).view(shape).clone()
        return torch.frombuffer(bytearray(self.connection.recv_bytes()), dtype=torch.uint8).view(shape)

    def _given_up(self, path: str) -> DecodeTimeoutError:
        return DecodeTimeoutError(
            path,
            f"decoding took more than {self.seconds:g} seconds in each of two attempts and was given up; "
            "raise data.decode_timeout if the file is only large, else drop it",
        )

    def _death(self, path: str) -> VideoDecodeError:
        """For a helper whose connection is closed: it has ended, or is about to."""
        self.alive = False
        self.connection.close()
        try:
            code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        except ChildProcessError:
            code = 0
        if code == -signal.SIGALRM:
            return self._given_up(path)
        if code in (-signal.SIGKILL, -signal.SIGTERM):
            return DecoderKilledError(
                path,
                "the process that decoded it was killed in each of two attempts, as happens when memory is short; use "
                "fewer data.num_workers",
            )
        name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return VideoDecodeError(path, f"the process that decoded it died ({name}); drop the file")


def _serve(
    connection: Connection, memory: mmap.mmap, open_video: Callable[..., VideoReader], seconds: float
) -> NoReturn:
    """The helper's life: answer until the other end is closed. Never returns into the forked program."""
    try:
        gc.freeze()  # what the program left behind is not ours to end: it may wait for threads that are not in the copy
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # the loader's handler looks after its own children
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; the end of the run closes the connection
        torch.set_num_threads(1)  # those of the program are not in the copy, and would be waited for
        reader: VideoReader | None = None
        while True:
            command, args = connection.recv()
            signal.setitimer(signal.ITIMER_REAL, seconds)
            pixels = None
            answer: Any
            try:
                if command != "frames" and reader is not None:
                    reader.close()
                    reader = None
                if command == "close":
                    answer = None
                elif command == "call":
                    function, arguments = args
                    answer = function(*arguments)
                elif command == "open":
                    reader = open_video(*args)
                    answer = reader.num_frames, reader.fps, reader.times
                else:
                    assert reader is not None
                    pixels = reader.frames(*args)
                    is_shared = pixels.nbytes <= len(memory)
                    if is_shared:
                        np.frombuffer(memory, np.uint8, pixels.nbytes)[:] = pixels.numpy().reshape(-1)
                    answer = tuple(pixels.shape), is_shared
            except VideoDecodeError as error:
                answer = error
            except BaseException as error:
                error.add_note(f"in the process that decodes:\n{traceback.format_exc()}")
                answer = error
            signal.setitimer(signal.ITIMER_REAL, 0)
            try:
                connection.send(answer)
            except (AttributeError, TypeError, pickle.PicklingError):  # an exception that cannot travel
                connection.send(RuntimeError(repr(answer)))
            if pixels is not None and isinstance(answer, tuple) and not answer[1]:
                connection.send_bytes(pixels.numpy().tobytes())
    except (EOFError, ConnectionError):
        pass
    finally:
        os._exit(0)
