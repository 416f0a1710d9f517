"""Many videos transcoded at a time, in processes of their own."""

from collections.abc import Callable, Generator
from contextlib import closing
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from vidattn.data.errors import VideoDecodeError
from vidattn.data.prepare.transcode import Transcoding
from vidattn.data.videos.manifest import Video
from vidattn.mistakes import Mistake
from vidattn.processes import each_in_processes, live_with_parent
from vidattn.writable import no_room, refused

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
    columns = (
        TextColumn("transcoding"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    try:
        with Progress(*columns) as progress, closing(_results(todo, transcoding, workers)) as results:
            task = progress.add_task("", total=len(todo))
            for video, problem in results:
                if problem:
                    failures[video] = problem
                    progress.console.print(
                        f"failed: {video.path}: {problem}", highlight=False, markup=False, emoji=False
                    )
                else:
                    finished(video)
                progress.update(task, advance=1, description=f"{len(failures)} failed" if failures else "")
    finally:
        for target in todo.values():
            _part(target).unlink(missing_ok=True)
    return failures


def _results(
    todo: dict[Video, Path], transcoding: Transcoding, workers: int
) -> Generator[tuple[Video, str], None, None]:
    """Each video with what went wrong; empty where nothing did."""
    one = partial(_one, transcoding)
    if workers == 0:
        yield from ((video, one((video, target))) for video, target in todo.items())
        return
    results = each_in_processes(todo.items(), one, workers, get_context("spawn"), live_with_parent)
    with closing(results):
        for (video, _), problem in results:
            yield video, _DIED if problem is None else problem


def _part(target: Path) -> Path:
    return target.with_name(target.name + ".part")


def _one(transcoding: Transcoding, work: tuple[Video, Path]) -> str:
    """In a process: what went wrong; empty where nothing did."""
    video, target = work
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
    return ""
