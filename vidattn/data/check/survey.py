"""Many videos at a time: each process probes one after the other, under a watchdog."""

import signal
from collections.abc import Iterator, Sequence
from multiprocessing import get_context

from vidattn.data.check.probe import Probe, probe
from vidattn.data.errors import DecodeTimeoutError, VideoDecodeError
from vidattn.data.manifest import Video
from vidattn.data.readers.guarded import AVAILABLE, Watchdog

_watchdog: Watchdog | None = None  # of this process


def survey(videos: Sequence[Video], min_frames: int, num_workers: int, timeout: float | None) -> Iterator[Probe]:
    """The probe of each video, in the order in which they are done.

    Args:
        videos: what to look into; segments of one file are one video here.
        min_frames: a video with fewer is "too short".
        num_workers: processes; 0 for none.
        timeout: seconds for one video, in each of two attempts; then it is "too slow". None waits for ever.

    Raises:
        ValueError: a number is too small.
    """
    # Here, once: a process that cannot start is replaced by another for ever.
    if timeout is not None and not timeout > 0:
        raise ValueError(f"timeout={timeout:g} must be more than 0 seconds")
    if num_workers < 0:
        raise ValueError(f"workers={num_workers} must be 0, for none, or more")
    files = list({video.path: video.folder_fps for video in videos}.items())
    work = [(path, fps, min_frames) for path, fps in files]
    if num_workers == 0:
        _start(timeout)
        yield from map(_probe, work)
        return
    with get_context("fork" if AVAILABLE else "spawn").Pool(num_workers, _start_worker, (timeout,)) as pool:
        yield from pool.imap_unordered(_probe, work, chunksize=1)


def _start(timeout: float | None) -> None:
    global _watchdog
    _watchdog = Watchdog(timeout) if timeout is not None and AVAILABLE else None


def _start_worker(timeout: float | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the first process, which ends the others
    _start(timeout)


def _probe(work: tuple[str, float | None, int]) -> Probe:
    path = work[0]
    if _watchdog is None:
        return probe(*work)
    try:
        return _watchdog.call(path, probe, *work)
    except VideoDecodeError as error:  # the watchdog's own: `probe` keeps those of the decoder
        kind = "too slow" if isinstance(error, DecodeTimeoutError) else "unreadable"
        return Probe(path, [kind], usable=False, reason=error.reason)
