"""The process in which a watchdog's videos are decoded, and what is asked of it."""

import contextlib
import gc
import mmap
import os
import pickle
import signal
import time
import traceback
import warnings
import weakref
from collections.abc import Callable
from multiprocessing.connection import Connection, Pipe
from typing import Any, NamedTuple, NoReturn

import numpy as np
import torch
from torch import Tensor

from vidattn.data.errors import DecoderKilledError, DecodeTimeoutError, VideoDecodeError
from vidattn.data.readers.base import Keep, VideoReader

_SHARED_BYTES = 256 << 20  # of address space: memory is used only as far as clips reach
_GRACE = 2.0  # seconds that a process has to die by its own timer; one that waits for a dead disk does not


class Open(NamedTuple):
    """Open a video, in place of the one that is open. Answer: `num_frames`, `fps` and `times`."""

    args: tuple[Any, ...]


class Call(NamedTuple):
    """Close the video and call a function. Answer: what it returns."""

    function: Callable[..., Any]
    args: tuple[Any, ...]


class Close(NamedTuple):
    """Close the video."""


class Frames(NamedTuple):
    """Frames of the video that is open; see `VideoReader.frames`. Answer: `Pixels`."""

    indices: list[int]
    keep: Keep | None


Question = Open | Call | Close | Frames


class Pixels(NamedTuple):
    """The answer to `Frames`: uint8 of this shape, in the shared memory or else sent behind this."""

    shape: tuple[int, ...]
    is_shared: bool


class Helper:
    """A process that decodes: forked here, it serves until its connection closes.

    Args:
        open_video: opens a video in it.
        seconds: that a question may take.
    """

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
        self._at_last = weakref.finalize(self, _forgotten, self.pid, self.owner)

    @property
    def is_ours(self) -> bool:
        """Whether it runs, and was not inherited by forking."""
        return self.alive and self.owner == os.getpid()

    def ask(self, path: str, question: Question) -> Any:
        """One question, one answer.

        Args:
            path: the video that it is about, for messages.
            question: what to do.

        Raises:
            DecodeTimeoutError: the helper took too long.
            DecoderKilledError: it was killed from outside.
            VideoDecodeError: it died.
        """
        if not self.alive:
            raise VideoDecodeError(path, "its reader has died; open the video again")
        try:
            self.connection.send(question)
            answered = self.connection.poll(self.seconds + _GRACE)
            answer = self.connection.recv() if answered else None
            if isinstance(answer, Pixels):
                answer = self._frames(answer)
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
        self._at_last.detach()
        self.connection.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0 if wait else os.WNOHANG)

    def _frames(self, pixels: Pixels) -> Tensor:
        if pixels.is_shared:
            count = int(np.prod(pixels.shape))
            return torch.frombuffer(self.memory, dtype=torch.uint8, count=count).view(pixels.shape).clone()
        return torch.frombuffer(bytearray(self.connection.recv_bytes()), dtype=torch.uint8).view(pixels.shape)

    def _given_up(self, path: str) -> DecodeTimeoutError:
        return DecodeTimeoutError(
            path,
            f"decoding took more than {self.seconds:g} seconds in each of two attempts and was given up; "
            "raise data.decode_timeout if the file is only large, else drop it",
        )

    def _death(self, path: str) -> VideoDecodeError:
        """For a helper whose connection is closed: it has ended, or is about to."""
        self.alive = False
        self._at_last.detach()
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


def _forgotten(pid: int, owner: int) -> None:
    """End a helper whose watchdog nobody holds any more. That its connection closes is not enough: helpers that were
    forked after it hold a copy; and one that has ended stays in the table of processes until it is asked for."""
    if os.getpid() != owner:
        return
    with contextlib.suppress(ProcessLookupError, ChildProcessError):
        os.kill(pid, signal.SIGKILL)
        for _ in range(100):  # a second at most: one that waits for a dead disk ends when that answers
            if os.waitpid(pid, os.WNOHANG)[0]:
                return
            time.sleep(0.01)


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
        desk = _Desk(open_video, memory)
        while True:
            question = connection.recv()
            signal.setitimer(signal.ITIMER_REAL, seconds)
            try:
                answer = desk.answer(question)
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
            if isinstance(answer, Pixels) and not answer.is_shared:
                connection.send_bytes(desk.pixels)
    except (EOFError, ConnectionError):
        pass
    finally:
        os._exit(0)


class _Desk:
    """In the process: the video that is open, and the answers about it."""

    def __init__(self, open_video: Callable[..., VideoReader], memory: mmap.mmap) -> None:
        self.open_video = open_video
        self.memory = memory
        self.reader: VideoReader | None = None
        self.pixels = b""  # those of the last answer that the shared memory could not hold

    def answer(self, question: Question) -> Any:
        if isinstance(question, Frames):
            return self._frames(question)
        if self.reader is not None:
            self.reader.close()
            self.reader = None
        if isinstance(question, Open):
            self.reader = self.open_video(*question.args)
            return self.reader.num_frames, self.reader.fps, self.reader.times
        return question.function(*question.args) if isinstance(question, Call) else None

    def _frames(self, question: Frames) -> Pixels:
        assert self.reader is not None
        frames = self.reader.frames(*question) if question.keep else self.reader.frames(question.indices)
        is_shared = frames.nbytes <= len(self.memory)
        if is_shared:
            np.frombuffer(self.memory, np.uint8, frames.nbytes)[:] = frames.numpy().reshape(-1)
        self.pixels = b"" if is_shared else frames.numpy().tobytes()
        return Pixels(tuple(frames.shape), is_shared)
