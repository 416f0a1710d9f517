"""Many videos transcoded at a time, in processes of their own."""

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from vidattn.data.errors import VideoDecodeError
from vidattn.data.prepare.transcode import Transcoding
from vidattn.data.videos.manifest import Video
from vidattn.mistakes import Mistake
from vidattn.processes import live_with_parent, processes, without_interrupts
from vidattn.writable import no_room, refused

_TRIES = 2  # of a video over which a process dies: the first time its neighbour may be at fault
_DIED = "its process died: the decoder or encoder crashed, or memory ran out; drop the file from the list"


def transcode_all(
    todo: dict[Video, Path], transcoding: Transcoding, workers: int, finished: Callable[[Video], None]
) -> dict[Video, str]:
    """Do all, in parallel, under a progress bar; the reason for each that failed.

    A process that dies takes only the video that killed it: what was being done then is done again, one by one, before
    the others go on. Ctrl-C leaves neither processes nor half-written files.

    Raises:
        ValueError: there is no room for a file, or the place is read-only: that ends the work at once.

    Args:
        todo: the videos, and the files to write.
        transcoding: how.
        workers: processes; 0 for none.
        finished: called with each video whose file is whole.
    """
    failures: dict[Video, str] = {}
    todo, tries = dict(todo), dict.fromkeys(todo, 0)
    columns = (
        TextColumn("transcoding"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns) as progress:
        task = progress.add_task("", total=len(todo))
        while todo:
            suspects = {video: target for video, target in todo.items() if tries[video]}
            with closing(_round(suspects or todo, transcoding, 1 if suspects else workers)) as results:
                for video, problem in results:
                    tries[video] += problem is _DIED
                    if problem is _DIED and tries[video] < _TRIES:
                        continue
                    if problem:
                        failures[video] = problem
                        progress.console.print(
                            f"failed: {video.path}: {problem}", highlight=False, markup=False, emoji=False
                        )
                    else:
                        finished(video)
                    todo.pop(video, None)
                    progress.update(task, advance=1, description=f"{len(failures)} failed" if failures else "")
    return failures


def _round(
    todo: dict[Video, Path], transcoding: Transcoding, workers: int
) -> Generator[tuple[Video, str | None], None, None]:
    """Each video with what went wrong; where a process dies, what it and its neighbours were at, and the rest is left
    for another round. Closed before its end, as by Ctrl-C, it leaves neither processes nor half-written files."""
    work = list(todo.items())
    parts = {video: _part(target) for video, target in work}
    _remove(parts.values())  # of a run that was killed: what there is from now on, is being written
    try:
        if workers == 0:
            yield from ((video, _one(transcoding, video, target)) for video, target in work)
            return
        with processes(min(workers, len(work)), get_context("spawn"), live_with_parent) as pool:
            with without_interrupts():
                running = {pool.submit(_one, transcoding, video, target): video for video, target in work}
            for future in as_completed(running):
                try:
                    yield running[future], future.result()
                except BrokenProcessPool:
                    started = [video for video, part in parts.items() if part.exists()]
                    yield from ((video, _DIED) for video in started or list(todo)[:1])
                    return
    finally:
        _remove(parts.values())


def _remove(parts: Iterable[Path]) -> None:
    for part in parts:
        part.unlink(missing_ok=True)


def _part(target: Path) -> Path:
    return target.with_name(target.name + ".part")


def _one(transcoding: Transcoding, video: Video, target: Path) -> str | None:
    """In a process: what went wrong, or None."""
    try:
        transcoding.run(video.path, target, video.folder_fps)
    except VideoDecodeError as error:
        _part(target).unlink(missing_ok=True)
        return error.reason
    except Exception as error:  # whatever decoder and encoder raise
        _part(target).unlink(missing_ok=True)
        if isinstance(error, OSError) and no_room(error):
            raise Mistake(refused(error, target)) from error  # so it would be for all others
        return f"{type(error).__name__}: {error}"
    return None
