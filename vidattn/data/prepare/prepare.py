"""A dataset written again so that training reads it fast, with a list and tar shards."""

import json
import os
import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from vidattn.checks import check_above_zero
from vidattn.data.clips.sampling import StrideSampling, VideoTimes
from vidattn.data.lists.class_files import write_class_file
from vidattn.data.prepare.prepared import PreparedFolder, content_identity
from vidattn.data.prepare.transcode import Transcoding
from vidattn.data.prepare.transcode_all import transcode_all
from vidattn.data.readers.opening import open_file
from vidattn.data.videos.manifest import Manifest, Video, read_manifest, write_table
from vidattn.data.videos.shards import by_bytes, by_count, refuse_shards, write_shards
from vidattn.mistakes import Mistake
from vidattn.wording import counted
from vidattn.writable import check_place

_MEASURED = 8  # videos whose speed is compared


def prepare(
    data: str,
    folder: Path,
    transcoding: Transcoding,
    say: Callable[[str], None],
    root: str | None = None,
    shards: int = 0,
    shard_mb: float = 0,
    workers: int = 1,
    folder_fps: float = 30.0,
) -> tuple[dict[str, Any], Manifest]:
    """Transcode every video of a list, write the new list, and tar shards if asked; what came of it, and the list.

    A run that was broken off goes on where it stopped.

    Args:
        data: list, folder or file of videos.
        folder: for `videos/`, `manifest.csv`, `classes.txt`, `prepare.json`, and `shards/`.
        transcoding: how.
        say: told what is found out before and between the work, a line at a time.
        root: folder that the list's paths start from; the list's own folder by default.
        shards: how many tar shards to write as well; 0 writes none.
        shard_mb: or how many megabytes each holds at least.
        workers: processes; 0 for none.
        folder_fps: frames per second of videos that are folders of pictures.

    Raises:
        Mistake: a number is out of range, the list cannot be used, the folder is another's, or no video succeeds.
    """
    for name, value in (("shards", shards), ("shard_mb", shard_mb), ("workers", workers)):
        if value < 0:
            raise Mistake(f"{name}={value} must be 0, for none, or more")
    check_above_zero(folder_fps=folder_fps)
    refuse_shards(data)
    check_place(folder, folder=True)
    manifest = read_manifest(data, root, folder_fps=folder_fps)
    has_folders = any(video.folder_fps is not None for video in manifest.videos)
    prepared = PreparedFolder(folder, data, transcoding, folder_fps if has_folders else None)
    if manifest.missing:
        say(manifest.describe_missing())
    prepared.refuse_sources_inside(video.path for video in manifest.videos)
    targets = _targets(manifest.videos, prepared.videos)
    seen = {video: content_identity(video.path) for video in targets}
    todo = {video: target for video, target in targets.items() if not prepared.has(target, video.path, seen[video])}
    if len(todo) < len(targets):
        say(f"there already: {len(targets) - len(todo)} of {counted(len(targets), 'video')}")

    def finished(video: Video) -> None:
        prepared.add(targets[video], video.path, seen[video])

    failures = transcode_all(todo, transcoding, workers, finished)
    failed = {video.path for video in failures}
    good = {video.path: target for video, target in targets.items() if video.path not in failed}
    written = [replace(v, path=str(good[v.path]), folder_fps=None) for v in manifest.videos if v.path in good]
    report: dict[str, Any] = {"transcoding": asdict(transcoding), "videos": len(good)}
    report["failed"] = {video.path: reason for video, reason in failures.items()}
    report["missing"] = list(manifest.missing_paths)
    if not good:
        raise Mistake("none of these videos could be prepared, for the reasons above; no list is written")
    _write_list(folder, manifest, written)
    report |= _gains({video: target for video, target in targets.items() if video.path in good})
    before = list((folder / "shards").glob("shard-*.tar"))
    if before and not (shards or shard_mb):  # those of other videos or labels would go on to be trained on
        shards = len(before)
        say(f"writing {counted(shards, 'shard')} anew, as there are some; remove {folder / 'shards'} for none")
    if shards or shard_mb:
        mixed = random.Random(0).sample(written, len(written))  # a shard of one class alone would train badly
        shared = by_bytes(mixed, shard_mb * 1e6) if shard_mb else by_count(mixed, shards)
        paths = write_shards(folder / "shards", shared, manifest.class_names, folder / "videos")
        report["shards"] = len(paths)
    (folder / "prepare.json").write_text(json.dumps(report, indent=1))
    return report, manifest


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


def _write_list(folder: Path, manifest: Manifest, videos: Sequence[Video]) -> None:
    """`manifest.csv`, relative to its own folder so that it can be moved, and `classes.txt`."""
    write_table(folder / "manifest.csv", manifest, videos, lambda path: os.path.relpath(path, folder))
    if manifest.class_names:
        write_class_file(folder / "classes.txt", manifest.class_names)


def _gains(good: dict[Video, Path]) -> dict[str, float]:
    """Bytes, and clips of 8 frames at stride 32 that one core decodes in a second, before and after."""
    before = sum(identity[0] for video in good if (identity := content_identity(video.path)))
    after = sum(os.path.getsize(target) for target in good.values())
    chosen = random.Random(0).sample(sorted(good, key=lambda video: video.path), min(_MEASURED, len(good)))
    seconds: dict[str, list[float]] = {"before": [], "after": []}
    for video in chosen:
        small = Video(str(good[video]), None)
        rounds = [(_clip_seconds(video), _clip_seconds(small)) for _ in range(3)]
        for name, values in zip(seconds, zip(*rounds, strict=True), strict=True):
            seconds[name].append(statistics.median(values))
    gains: dict[str, float] = {"bytes_before": before, "bytes_after": after}
    return gains | {f"clips_per_second_{name}": len(chosen) / sum(values) for name, values in seconds.items()}


def _clip_seconds(video: Video) -> float:
    """CPU time of one clip from the middle."""
    began = time.process_time()
    with open_file(video.path, "pyav", video.folder_fps) as reader:
        (clip,) = StrideSampling(8, 32).test(VideoTimes(reader.num_frames, reader.fps, reader.times), num_clips=1)
        reader.frames(clip)
    return time.process_time() - began
