"""Many videos at a time: each process probes one after the other, under a watchdog."""

import os
import signal
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

from vidattn.data.check.probe import Probe, probe
from vidattn.data.errors import DecodeTimeoutError, VideoDecodeError
from vidattn.data.readers.guarded import AVAILABLE, LONGEST, Watchdog
from vidattn.data.videos.manifest import Video
from vidattn.mistakes import Mistake
from vidattn.processes import live_with_parent, processes, without_interrupts

Work = tuple[str, float | None, int]  # the arguments of `probe`

_DIED = (
    "its process was killed in each of two attempts, as happens when memory is short; check it again with fewer "
    "--workers, or drop it"
)

_watchdog: Watchdog | None = None  # of this process


def survey(
    videos: Sequence[Video], min_frames: int, num_workers: int, timeout: float | None
) -> Generator[Probe, None, None]:
    """The probe of each video, in the order in which they are done. Closed before its end, it leaves no processes.

    Args:
        videos: what to look into; segments of one file are one video here.
        min_frames: a video with fewer is "too short".
        num_workers: processes; 0 for none.
        timeout: seconds for one video, in each of two attempts; then it is "too slow". None waits for ever.

    Raises:
        ValueError: a number is too small or too large.
    """
    # Here, once: what fails at the start of a process is not said, it only ends that.
    if timeout is not None and not 0 < timeout <= LONGEST:
        raise Mistake(f"timeout={timeout:g} must be more than 0 seconds and at most {LONGEST} (24 days)")
    if num_workers < 0:
        raise Mistake(f"workers={num_workers} must be 0, for none, or more")
    files = list({video.path: video.folder_fps for video in videos}.items())
    work: list[Work] = [(path, fps, min_frames) for path, fps in files]
    if num_workers == 0:
        _start(timeout)
        yield from map(_probe, work)
        return
    left = deque(work)
    while left:
        suspects = yield from _together(left, num_workers, timeout)
        for suspect in suspects:  # each alone: its neighbour may have been at fault
            if (yield from _together(deque([suspect]), 1, timeout)):
                yield Probe(suspect[0], ["unreadable"], usable=False, reason=_DIED)


def _together(left: deque[Work], num_workers: int, timeout: float | None) -> Generator[Probe, None, list[Work]]:
    """The probes of what is taken from `left`, to its end or until a process dies; returned is what was being probed
    then."""
    running: dict[Future[Probe], Work] = {}
    context = get_context("fork" if AVAILABLE else "spawn")
    with processes(num_workers, context, _start_worker, timeout) as pool:
        try:
            while left or running:
                while left and len(running) < num_workers:  # no more, so that what is running is being probed
                    with without_interrupts():
                        future = pool.submit(_probe, left[0])
                    running[future] = left.popleft()
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    found = done.result()
                    del running[done]
                    yield found
        except BrokenProcessPool:
            pass
    return list(running.values())


def _start(timeout: float | None) -> None:
    global _watchdog
    _watchdog = Watchdog(timeout) if timeout is not None and AVAILABLE else None


def _start_worker(timeout: float | None) -> None:
    live_with_parent()
    _start(timeout)
    if _watchdog is not None:  # without one, what hangs in C is ended by the signal alone
        signal.signal(signal.SIGTERM, _end)


def _end(*_: object) -> None:
    if _watchdog is not None:
        _watchdog.close()  # its helper holds pipes of this process, which counts as alive while they are open
    os._exit(1)


def _probe(work: Work) -> Probe:
    path = work[0]
    if _watchdog is None:
        return probe(*work)
    try:
        return _watchdog.call(path, probe, *work)
    except VideoDecodeError as error:  # the watchdog's own: `probe` keeps those of the decoder
        kind = "too slow" if isinstance(error, DecodeTimeoutError) else "unreadable"
        return Probe(path, [kind], usable=False, reason=error.reason)
