"""`vidattn prepare DATA OUT`: a dataset written again so that training reads it fast, with a list and tar shards."""

import json
import os
import random
import signal
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, replace
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any

from jsonargparse import auto_cli
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from vidattn.data.errors import VideoDecodeError
from vidattn.data.lists import table as list_table
from vidattn.data.lists.row import Row
from vidattn.data.manifest import Manifest, Video, read_manifest
from vidattn.data.prepared import PreparedFolder, content_identity
from vidattn.data.readers import open_video
from vidattn.data.sampling import StrideSampling, VideoTimes
from vidattn.data.shards import write_shards
from vidattn.data.transcode import Transcoding

_MEASURED = 8  # videos whose speed is compared
_TRIES = 2  # of a video over which a process dies: the first time its neighbour may be at fault


def prepare_command(words: list[str]) -> None:
    """`vidattn prepare`, with the words behind it."""
    try:
        auto_cli(prepare, args=words, as_positional=True)
    except KeyboardInterrupt:
        sys.exit("vidattn prepare: interrupted; give the same command again to go on")


def prepare(
    data: str,
    out: str,
    root: str | None = None,
    short_side: int = 256,
    keyframe_every: int = 8,
    crf: int = 23,
    preset: str = "medium",
    shards: int = 0,
    shard_mb: float = 0,
    workers: int = os.cpu_count() or 1,
    folder_fps: float = 30.0,
) -> None:
    """Transcode every video of a list to a small H.264 file that is fast to read anywhere, and write the new list.

    A run that was broken off goes on where it stopped: give the same command again. Each list needs its own `out`.

    Args:
        data: list, folder or file of videos that training reads, too.
        out: folder for `videos/`, `manifest.csv`, `classes.txt`, `prepare.json`, and `shards/` if asked.
        root: folder that the list's paths start from; the list's own folder by default.
        short_side: pixels; smaller videos keep their size. 256 is what SlowFast's recipes train from; 320 keeps
            the sharpness of a jitter up to 320, and costs 1.6 times the decoding.
        keyframe_every: frames from one keyframe to the next.
        crf: x264's quality, lower is better and larger.
        preset: x264's speed, from ultrafast to veryslow.
        shards: how many tar shards to write as well; 0 writes none.
        shard_mb: or how many megabytes each holds at least.
        workers: processes.
        folder_fps: frames per second of videos that are folders of pictures.
    """
    console = Console(soft_wrap=True, highlight=False)
    transcoding = Transcoding(short_side, keyframe_every, crf, preset)
    folder = Path(out)
    prepared = PreparedFolder(folder, data, transcoding)
    manifest = read_manifest(data, root, folder_fps=folder_fps)
    if manifest.missing:
        console.print(manifest.describe_missing())
    prepared.refuse_sources_inside(video.path for video in manifest.videos)
    targets = _targets(manifest.videos, prepared.videos)
    seen = {video: content_identity(video.path) for video in targets}
    todo = {video: target for video, target in targets.items() if not prepared.has(target, video.path, seen[video])}
    if len(todo) < len(targets):
        console.print(f"{len(targets) - len(todo)} of {len(targets)} videos are there already")

    def finished(video: Video) -> None:
        prepared.add(targets[video], video.path, seen[video])

    failures = _transcode_all(todo, transcoding, workers, finished)
    failed = {video.path for video in failures}
    good = {video.path: target for video, target in targets.items() if video.path not in failed}
    written = [replace(v, path=str(good[v.path]), folder_fps=None) for v in manifest.videos if v.path in good]
    _write_list(folder, manifest, written)
    report: dict[str, Any] = {"transcoding": asdict(transcoding), "videos": len(good)}
    report["failed"] = {video.path: reason for video, reason in failures.items()}
    if good:
        report |= _gains(good)
    if good and (shards or shard_mb):
        mixed = random.Random(0).sample(written, len(written))  # a shard of one class alone would train badly
        size = int(shard_mb * 1e6) or -(-sum(os.path.getsize(video.path) for video in mixed) // shards)
        paths = write_shards(folder / "shards", mixed, manifest.class_names, folder / "videos", size)
        report["shards"] = len(paths)
    (folder / "prepare.json").write_text(json.dumps(report, indent=1))
    _print_report(console, folder, report)


def _targets(videos: Sequence[Video], folder: Path) -> dict[Video, Path]:
    """One video for each file (a list may name several segments of it), and where it goes: the same tree below."""
    files = {video.path: Video(video.path, None, folder_fps=video.folder_fps) for video in videos}
    parents = {os.path.dirname(os.path.abspath(path)) for path in files}
    root = os.path.commonpath(parents)
    targets: dict[Video, Path] = {}
    taken: set[Path] = set()
    for path, video in sorted(files.items()):
        relative = Path(os.path.relpath(os.path.abspath(path), root))
        target = folder / relative.with_suffix(".mp4")
        if target in taken:  # a.avi beside a.mp4
            target = folder / f"{relative}.mp4"
        taken.add(target)
        targets[video] = target
    return targets


def _transcode_all(
    todo: dict[Video, Path], transcoding: Transcoding, workers: int, finished: Callable[[Video], None]
) -> dict[Video, str]:
    """Do all, in parallel, and tell of each that is finished; the reason for each that failed."""
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
            for video, problem in _round(todo, transcoding, workers if not any(tries.values()) else 1):
                tries[video] += problem is _DIED
                if problem is _DIED and tries[video] < _TRIES:
                    continue
                if problem:
                    failures[video] = problem
                    progress.console.print(f"failed: {video.path}: {problem}", highlight=False, markup=False)
                else:
                    finished(video)
                todo.pop(video, None)
                progress.update(task, advance=1, description=f"{len(failures)} failed" if failures else "")
    return failures


_DIED = "its process died: the decoder or encoder crashed, or memory ran out; drop the file from the list"


def _round(todo: dict[Video, Path], transcoding: Transcoding, workers: int) -> Iterator[tuple[Video, str | None]]:
    """Each video with what went wrong; where a process dies, what it and its neighbours were at, and the rest is left
    for another round."""
    for target in todo.values():
        _part(target).unlink(missing_ok=True)  # of a run that was broken off: what there is now, was being written
    pool = ProcessPoolExecutor(min(workers, len(todo)), mp_context=get_context("spawn"), initializer=_live_with_parent)
    running: dict[Future[str | None], Video] = {}
    try:
        for video, target in todo.items():
            running[pool.submit(_one, transcoding, video, target)] = video
        for future in as_completed(running):
            try:
                yield running[future], future.result()
            except BrokenProcessPool:
                started = [other for other, target in todo.items() if _part(target).exists()]
                yield from ((other, _DIED) for other in started or list(todo)[:1])
                return
    finally:
        pool.shutdown(cancel_futures=True)


def _live_with_parent() -> None:
    """In a process: leave Ctrl-C to the parent, and end when the parent is gone, however it went."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _part(target: Path) -> Path:
    return target.with_name(target.name + ".part")


def _one(transcoding: Transcoding, video: Video, target: Path) -> str | None:
    """In a process: what went wrong, or None."""
    try:
        transcoding.run(video.path, target, video.folder_fps)
    except VideoDecodeError as error:
        _part(target).unlink(missing_ok=True)
        return error.reason
    except (OSError, ValueError, MemoryError) as error:  # FFmpeg's errors are such; a full disk
        _part(target).unlink(missing_ok=True)
        return f"{type(error).__name__}: {error}"
    return None


def _write_list(folder: Path, manifest: Manifest, videos: Sequence[Video]) -> None:
    """`manifest.csv`, relative to its own folder so that it can be moved, and `classes.txt`."""
    names = manifest.class_names
    rows = []
    for video in videos:
        labels = video.labels or (() if video.label is None else (video.label,))
        segment = (video.start, video.end, video.start_frame, video.end_frame)
        rows.append(Row("", os.path.relpath(video.path, folder), tuple(names[label] for label in labels), *segment))
    list_table.write(folder / "manifest.csv", rows, manifest.multi_label)
    (folder / "classes.txt").write_text("".join(f"{name}\n" for name in names))


def _gains(good: dict[str, Path]) -> dict[str, float]:
    """Bytes, and clips of 8 frames at stride 32 that one core decodes in a second, before and after."""
    files = {path: target for path, target in good.items() if os.path.isfile(path)}
    before, after = sum(map(os.path.getsize, files)), sum(os.path.getsize(target) for target in files.values())
    chosen = random.Random(0).sample(sorted(files), min(_MEASURED, len(files)))
    seconds: dict[str, list[float]] = {"before": [], "after": []}
    for path in chosen:
        rounds = [(_clip_seconds(path), _clip_seconds(str(files[path]))) for _ in range(3)]
        for name, values in zip(seconds, zip(*rounds, strict=True), strict=True):
            seconds[name].append(statistics.median(values))
    gains: dict[str, float] = {"bytes_before": before, "bytes_after": after}
    if chosen:
        gains |= {f"clips_per_second_{name}": len(chosen) / sum(values) for name, values in seconds.items()}
    return gains


def _clip_seconds(path: str) -> float:
    """CPU time of one clip from the middle."""
    began = time.process_time()
    with open_video(path) as video:
        (clip,) = StrideSampling(8, 32).test(VideoTimes(video.num_frames, video.fps, video.times), num_clips=1)
        video.frames(clip)
    return time.process_time() - began


def _print_report(console: Console, folder: Path, report: dict[str, Any]) -> None:
    rows = Table("", "before", "after", "gain", title_justify="left")
    if "bytes_before" in report:
        small = report["bytes_before"], report["bytes_after"]
        gain = small[0] / small[1]
        words = f"{gain:.2f}x smaller" if gain >= 1 else f"{1 / gain:.2f}x larger"
        rows.add_row("size (MB)", *(f"{size / 1e6:.1f}" for size in small), words)
    if "clips_per_second_before" in report:
        fast = report["clips_per_second_before"], report["clips_per_second_after"]
        name = "clips per second and core (8x32)"
        rows.add_row(name, *(f"{rate:.1f}" for rate in fast), f"{fast[1] / fast[0]:.2f}x faster")
    if rows.row_count:
        console.print(rows)
    console.print(f"{report['videos']} videos: --data.train {folder / 'manifest.csv'}")
    if "shards" in report:
        console.print(f"{report['shards']} shards: --data.train {folder / 'shards' / 'shards.json'}")
    if report["failed"]:
        console.print(f"{len(report['failed'])} failed, listed in {folder / 'prepare.json'}:", style="bold")
        for path, reason in list(report["failed"].items())[:10]:
            console.print(f"  {path}: {reason}", markup=False)
