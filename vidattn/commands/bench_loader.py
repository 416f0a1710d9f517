"""`vidattn bench-loader PATH`: what reading a user's own videos costs, and whether that or the model is waited for."""

import os
import random
from dataclasses import astuple

import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

from vidattn.bench.loader import bottleneck, training_speed
from vidattn.bench.readers import PATTERNS, LoaderSpeed, Times, bench_loaders, bench_pattern, bench_views, views_memory
from vidattn.bench.rivals import WAYS, Way
from vidattn.commands.options import call
from vidattn.console import plain_console
from vidattn.data.errors import VideoDecodeError
from vidattn.data.readers import open_video
from vidattn.data.videos.manifest import Video, read_manifest
from vidattn.data.videos.shards import is_shards
from vidattn.mistakes import Mistake
from vidattn.models.presets import preset
from vidattn.wording import counted


def bench_loader(words: list[str]) -> None:
    """`vidattn bench-loader`, with the words behind it."""
    call(run, words, "bench-loader", positional=True)


def run(
    path: str,
    videos: int = 6,
    rounds: int = 5,
    views: int = 10,
    workers: int = 2,
    clips: int = 48,
    model_clips_per_second: float | None = None,
    model: str | None = None,
) -> None:
    """Time our reader against torchcodec, decord, sequential decoding and the official way, on your own videos.

    Times are CPU time, so that a busy machine changes them little; all ways take turns in one run.

    Args:
        path: a video, or a list or folder of videos, of which some are drawn.
        videos: how many.
        rounds: of each; the tables give medians.
        views: test views of a video, decoded together and one by one.
        workers: of the data loaders.
        clips: that each data loader gives in a round; 0 leaves loaders out.
        model_clips_per_second: how fast the model trains, for the bottleneck.
        model: or a preset (Ti, S, B, L) whose training step (divided, 8x224) is measured here.
    """
    for name, value, least in (
        ("videos", videos, 1),
        ("rounds", rounds, 1),
        ("views", views, 1),
        ("workers", workers, 0),
        ("clips", clips, 0),
    ):
        if value < least:
            raise Mistake(f"{name}={value} must be {least} or more")
    if model_clips_per_second is not None and not model_clips_per_second > 0:
        raise Mistake(f"model_clips_per_second={model_clips_per_second} must be more than 0")
    network = None if model is None else preset(model, attention="divided", num_frames=8, image_size=224)
    torch.set_num_threads(1)
    console = plain_console()
    chosen = choose(console, path, videos)
    ways = loaded(console)
    patterns = {
        name: bench_pattern([video.path for video in chosen], sampling, rounds, ways)
        for name, sampling in track(PATTERNS.items(), "decoding", console=console, transient=True)
    }
    print_patterns(console, patterns, len(chosen))
    print_views(console, bench_views([video.path for video in chosen], views, rounds), views)
    largest = max(chosen, key=lambda video: _pixels(video.path)).path
    kept, whole = views_memory(largest, views)
    console.print(
        f"{counted(views, 'test view')} x 3 crops of the largest pictures ({os.path.basename(largest)}): {kept:.0f} MB "
        f"while they are read, cut to 224 as they are decoded; {whole:.0f} MB whole"
    )
    if not clips:
        return
    speeds = bench_loaders(chosen, workers, clips, max(1, rounds // 2))
    print_loaders(console, speeds, workers)
    if network is not None:
        torch.set_num_threads(os.cpu_count() or 1)
        model_clips_per_second = training_speed(network)
        console.print(f"a training step of {model}, divided, 8x224: {model_clips_per_second:.1f} clips per second here")
    console.print(bottleneck(speeds["ours"].per_core, model_clips_per_second, os.cpu_count() or 1), style="bold")


def choose(console: Console, path: str, count: int) -> list[Video]:
    """Some of the videos there are, each read once; those that cannot be are named.

    Raises:
        ValueError: they are no files: shards, or folders of pictures.
        SystemExit: none can be read.
    """
    if is_shards(path):
        raise Mistake(f"{path} holds shards, which the other readers do not read; give videos, a list or a folder")
    found = {video.path: video for video in read_manifest(path).videos if video.folder_fps is None}
    if not found:
        raise Mistake(f"{path} lists folders of pictures, which the other readers do not read; give video files")
    drawn = random.Random(0).sample(sorted(found), len(found))
    good: list[Video] = []
    for name in drawn:
        if len(good) == count:
            break
        try:
            with open_video(name) as video:
                video.frames([0, video.num_frames // 2, video.num_frames - 1])
            good.append(Video(name, None))
        except VideoDecodeError as error:
            console.print(f"left out {error}")
    if not good:
        raise SystemExit(f"{path}: no video there can be read; vidattn check says what is wrong with each")
    return good


def loaded(console: Console) -> dict[str, Way]:
    """The ways whose packages load here."""
    ways = dict(WAYS)
    for name, module in (("torchcodec", "torchcodec.decoders"), ("decord", "decord")):
        try:
            __import__(module)
        except (ImportError, OSError, RuntimeError) as error:
            console.print(f"without {name}, which does not load here ({str(error).strip().splitlines()[0]})")
            del ways[name]
    return ways


def print_patterns(console: Console, patterns: dict[str, Times], count: int) -> None:
    """CPU time of a clip in each way, and how many times as fast ours is."""
    table = Table("frames", *next(iter(patterns.values())).seconds, title_justify="left")
    table.title = f"CPU ms per clip on one core, mean of {counted(count, 'video')} (ours is so many times as fast)"
    for pattern, times in patterns.items():
        cells = [
            f"{1e3 * times.per_clip(way):.1f}" + ("" if way == "ours" else f" ({times.ratio(way):.2f}x)")
            if seconds
            else "-"
            for way, seconds in times.seconds.items()
        ]
        table.add_row(pattern, *cells)
    console.print(table)
    for way, problems in patterns["8x32"].problems.items():
        for path, problem in problems.items():
            console.print(f"{way}, {os.path.basename(path)}: {problem}")


def _pixels(path: str) -> int:
    with open_video(path) as video:
        return video.frames([0]).numel()


def print_views(console: Console, times: Times, views: int) -> None:
    """One line."""
    together, each = (1e3 * times.per_clip(way) for way in ("ours", "each"))
    console.print(
        f"{counted(views, 'test view')} of a video: {together:.0f} ms of CPU decoded together, {each:.0f} ms one by "
        f"one: {times.ratio('each'):.1f}x"
    )


def print_loaders(console: Console, speeds: dict[str, LoaderSpeed], workers: int) -> None:
    """The training loaders."""
    table = Table("loader", "clips/s by the clock", "clips/s per core", title_justify="left")
    table.title = (
        f"training loaders, 8x32 to 224, transforms included, {counted(workers, 'worker')} "
        "(ours is so many times as fast)"
    )
    for name, speed in speeds.items():
        cells = []
        for ours, theirs in zip(astuple(speeds["ours"]), astuple(speed), strict=True):
            cells.append(f"{theirs:.1f}" + ("" if name == "ours" else f" ({ours / theirs:.2f}x)"))
        table.add_row(name, *cells)
    console.print(table)
