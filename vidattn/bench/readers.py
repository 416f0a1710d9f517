"""What reading clips costs, our way and others, on a user's own videos: CPU time, side by side in one run."""

import os
import random
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from vidattn.bench.rivals import WAYS, RivalClips, Way, official, official_pixels, torchcodec, torchvision_pixels
from vidattn.data.clips.dataset import TrainClips
from vidattn.data.clips.items import collate
from vidattn.data.clips.reading import CropStrip
from vidattn.data.clips.sampling import Sampler, StrideSampling, UniformSampling, VideoTimes
from vidattn.data.clips.transforms import SpatialCrops, default_train_transforms
from vidattn.data.readers import open_video
from vidattn.data.videos.manifest import Video

PATTERNS: dict[str, Sampler] = {
    "8x32": StrideSampling(8, 32),
    "16x4": StrideSampling(16, 4),
    "32x2": StrideSampling(32, 2),
    "uniform 8": UniformSampling(8),
}
"""Frames of a clip, by the name in the table."""


_TICK = 0.01  # seconds that the system counts CPU time by


@dataclass
class Times:
    """CPU seconds of one job on each video, by the way it was done; the median of the rounds.

    Args:
        seconds: way -> video -> seconds.
        problems: way -> video -> why it has no time, or that its frames are others than ours.
    """

    seconds: dict[str, dict[str, float]] = field(default_factory=dict)
    problems: dict[str, dict[str, str]] = field(default_factory=dict)

    def per_clip(self, way: str, paths: Iterable[str] | None = None) -> float:
        """Seconds a clip, over these videos (all it managed by default)."""
        times = self.seconds[way]
        return statistics.mean(times[path] for path in (times if paths is None else paths))

    def ratio(self, way: str, ours: str = "ours") -> float:
        """How many times as long as `ours` it takes, on the videos that both manage."""
        both = [path for path in self.seconds[way] if path in self.seconds[ours]]
        return self.per_clip(way, both) / self.per_clip(ours, both)


def cpu_seconds(jobs: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median CPU seconds of each job, threads included; every round runs all of them, in an order of its own.

    For a job pays for what the one before it has left of the caches: none shall always follow the same.
    """
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    order = random.Random(0)
    for _ in range(rounds):
        for name in order.sample(list(jobs), len(jobs)):
            began = time.process_time()
            jobs[name]()
            seconds[name].append(time.process_time() - began)
    return {name: statistics.median(values) for name, values in seconds.items()}


def bench_pattern(paths: Sequence[str], sampling: Sampler, rounds: int, ways: Mapping[str, Way] = WAYS) -> Times:
    """One clip from the middle of each video, in each of the ways."""
    times = Times({way: {} for way in ways}, {way: {} for way in ways})
    for path in paths:
        (clip,) = sampling.test(video_times(path), num_clips=1)
        jobs: dict[str, Callable[[], Tensor]] = {}
        expected: Tensor | None = None
        for name, way in ways.items():
            try:
                frames = way(path, clip)  # the warm-up, too
            except Exception as error:  # whatever a rival throws at a file says that it does not read it
                times.problems[name][path] = (str(error).strip() or type(error).__name__).splitlines()[0]
                continue
            expected = frames if expected is None else expected
            if frames.shape != expected.shape or not torch.equal(frames, expected):
                times.problems[name][path] = "other frames"
            jobs[name] = _job(way, path, clip)
        for name, seconds in cpu_seconds(jobs, rounds).items():
            times.seconds[name][path] = seconds
    return times


def bench_views(paths: Sequence[str], num_views: int, rounds: int, sampling: Sampler = PATTERNS["8x32"]) -> Times:
    """All test views of each video: their union decoded once ("ours"), and one after the other ("each")."""
    times = Times({"ours": {}, "each": {}})
    for path in paths:
        clips = sampling.test(video_times(path), num_views)
        union = sorted({frame for clip in clips for frame in clip})
        ours = WAYS["ours"]
        jobs = {"ours": _job(ours, path, union), "each": lambda: [ours(path, clip) for clip in clips]}  # noqa: B023
        for name, seconds in cpu_seconds(jobs, rounds).items():
            times.seconds[name][path] = seconds
    return times


def views_memory(
    path: str, num_views: int, num_crops: int = 3, size: int = 224, sampling: Sampler = PATTERNS["8x32"]
) -> tuple[float, float]:
    """Megabytes at most that pictures take while the test views of a video are read: cut while they are decoded, as
    tests and `vidattn classify` do, and whole."""
    clips = sampling.test(video_times(path), num_views)
    peaks = []
    for crops in (SpatialCrops(size, num_crops), None):
        with open_video(path) as video:
            tracemalloc.start()
            wanted = sorted({frame for clip in clips for frame in clip})
            video.frames(wanted, None if crops is None else CropStrip(crops))
            peaks.append(tracemalloc.get_traced_memory()[1] / 1e6)
            tracemalloc.stop()
    return peaks[0], peaks[1]


@dataclass(frozen=True)
class LoaderSpeed:
    """Clips a second of a data loader: by the clock, with all its workers; and for each second of CPU time."""

    by_clock: float
    per_core: float


def bench_loaders(
    videos: Sequence[Video], workers: int, clips: int, rounds: int, size: int = 224, batch_size: int = 8
) -> dict[str, LoaderSpeed]:
    """Training loaders of 8x32 clips, transforms included; rivals that do not load or read all videos are left out.

    Ours hands on uint8, as the network normalises on its own device; the others hand on float32.
    """
    sampling = PATTERNS["8x32"]
    repeated = [videos[number % len(videos)] for number in range(clips)]
    loaders: dict[str, Dataset] = {"ours": TrainClips(repeated, sampling, default_train_transforms(size), size)}
    rivals: dict[str, tuple[Way, Callable[[Tensor], Tensor]]] = {
        "torchcodec + torchvision v2": (torchcodec, torchvision_pixels(size)),
        "official way": (official, official_pixels(size)),
    }
    for name, (way, pixels) in rivals.items():
        try:
            rival = RivalClips(repeated, way, pixels, sampling)
            for number in range(len(videos)):
                rival[number]
            loaders[name] = rival
        except Exception:  # as above
            continue
    speeds: dict[str, list[LoaderSpeed]] = {name: [] for name in loaders}
    for _ in range(rounds):
        for name, dataset in loaders.items():
            join = collate if name == "ours" else None
            began, spent = time.perf_counter(), _cpu_seconds()
            # Made anew each time: CPU time of workers is known once they have ended.
            for _ in DataLoader(dataset, batch_size, num_workers=workers, collate_fn=join):
                pass
            elapsed = time.perf_counter() - began
            used = max(_cpu_seconds() - spent, _TICK)
            speeds[name].append(LoaderSpeed(clips / elapsed, clips / used))
    return {name: LoaderSpeed(*_medians(values)) for name, values in speeds.items()}


def video_times(path: str) -> VideoTimes:
    """What a sampling rule needs to know of a video."""
    with open_video(path) as video:
        return VideoTimes(video.num_frames, video.fps, video.times)


def _job(way: Way, path: str, clip: Sequence[int]) -> Callable[[], Tensor]:
    return lambda: way(path, clip)


def _cpu_seconds() -> float:
    """Of this process and its workers that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _medians(speeds: Sequence[LoaderSpeed]) -> tuple[float, float]:
    return statistics.median(one.by_clock for one in speeds), statistics.median(one.per_core for one in speeds)
