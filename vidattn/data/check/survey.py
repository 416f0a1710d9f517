"""Many videos at a time: each process probes one after the other, under a watchdog."""

import os
import signal
from collections.abc import Generator, Sequence
from contextlib import closing
from multiprocessing import get_context

from vidattn.data.check.probe import Probe, probe
from vidattn.data.errors import DecodeTimeoutError, VideoDecodeError
from vidattn.data.readers.guarded import AVAILABLE, LONGEST, Watchdog
from vidattn.data.videos.manifest import Video
from vidattn.mistakes import Mistake
from vidattn.processes import each_in_processes, live_with_parent

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
    context = get_context("fork" if AVAILABLE else "spawn")
    with closing(each_in_processes(work, _probe, num_workers, context, _start_worker, timeout)) as results:
        for one, found in results:
            yield Probe(one[0], ["unreadable"], usable=False, reason=_DIED) if found is None else found


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
