"""`vidattn bench-classify`: what an answer costs beyond decoding the frames and running the network on them."""

import statistics
from pathlib import Path

import torch
from jsonargparse import auto_cli
from rich.console import Console
from rich.progress import track
from rich.table import Table

from vidattn.bench.timing import interleaved, ratio
from vidattn.classify.classifier import Classifier
from vidattn.classify.preparation import preparation_of
from vidattn.classify.sources import expand, open_source
from vidattn.data.clips.sampling import VideoTimes
from vidattn.models.normalize import NORMALIZATIONS
from vidattn.models.presets import build_network, preset
from vidattn.preprocessing import Preprocessing


def bench_classify_command(words: list[str]) -> None:
    """`vidattn bench-classify`, with the words behind it."""
    auto_cli(bench_classify, args=words, as_positional=True)


def bench_classify(
    videos: str,
    weights: str | None = None,
    model: str = "timesformer",
    num_clips: int = 1,
    num_crops: int = 1,
    rounds: int = 5,
) -> None:
    """Time whole answers against decoding their frames plus the forward passes, side by side in one run.

    Args:
        videos: a video, a folder of videos, or a glob.
        weights: a checkpoint, as for vidattn classify; random weights of `model` by default.
        model: a preset.
        num_clips: clips of a video.
        num_crops: crops of each clip.
        rounds: of each; the table gives medians.
    """
    if weights is not None:
        classifier = Classifier.from_pretrained(weights, num_clips=num_clips, num_crops=num_crops)
    else:
        classifier = random_classifier(model, num_clips, num_crops)
    table = Table("video", "decoding", "forward", "together", "answer", "answer takes", title_justify="left")
    table.title = f"milliseconds, {num_clips} x {num_crops} views, {torch.get_num_threads()} threads"
    console = Console(soft_wrap=True, highlight=False, markup=False, emoji=False)
    for video in track(expand(videos)[0], "Timing", console=console, transient=True):
        seconds = measure(classifier, str(video), rounds)
        parts = [one + other for one, other in zip(seconds["decoding"], seconds["forward"], strict=True)]
        columns = (seconds["decoding"], seconds["forward"], parts, seconds["answer"])
        cells = [f"{1e3 * statistics.median(values):.0f}" for values in columns]
        table.add_row(Path(str(video)).name, *cells, f"{ratio(seconds['answer'], parts):.2f}x")
    console.print(table)


def measure(classifier: Classifier, video: str, rounds: int) -> dict[str, list[float]]:
    """Seconds in each round of "decoding" (open, and read the frames of all clips), "forward" (all views, ready and
    normalised) and "answer" (the whole of `classifier(video)`)."""
    with open_source(video, classifier.reader, fps=30.0) as reader:
        times = VideoTimes(reader.num_frames, reader.fps, reader.times)
    clips = classifier.preparation.sampling.test(times, classifier.preparation.num_clips)
    frames = sorted({frame for clip in clips for frame in clip})
    views = classifier.normalize(classifier.views(video).video.to(classifier.device)).to(classifier.dtype)
    batches = views.split(classifier.batch_size)

    def decode() -> None:
        with open_source(video, classifier.reader, fps=30.0) as reader:
            reader.frames(frames)

    @torch.inference_mode()
    def forward() -> None:
        for batch in batches:
            classifier.network(batch).cpu()

    return interleaved({"decoding": decode, "forward": forward, "answer": lambda: classifier(video)}, rounds)


def random_classifier(model: str, num_clips: int, num_crops: int) -> Classifier:
    """One with random weights: it knows nothing, and takes as long as one that does."""
    config = preset(model)
    mean, std = NORMALIZATIONS["timesformer"]
    preparation = preparation_of(config, Preprocessing(mean=mean, std=std), num_clips=num_clips, num_crops=num_crops)
    names = [f"class {label}" for label in range(config.num_classes)]
    return Classifier(build_network(config), names, preparation)
