"""`vidattn bench-classify`: whole answers against decoding plus the network alone."""

import statistics
from pathlib import Path

import torch
from rich.progress import track
from rich.table import Table

from vidattn.bench.classify import answer_seconds, random_classifier
from vidattn.bench.timing import ratio
from vidattn.classify.classifier import Classifier
from vidattn.classify.sources import expand
from vidattn.commands.options import call
from vidattn.console import plain_console


def bench_classify(words: list[str]) -> None:
    """`vidattn bench-classify`, with the words behind it."""
    call(run, words, "bench-classify", positional=True)


def run(
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
    console = plain_console()
    for video in track(expand(videos)[0], "Timing", console=console, transient=True):
        seconds = answer_seconds(classifier, str(video), rounds)
        parts = [one + other for one, other in zip(seconds["decoding"], seconds["forward"], strict=True)]
        columns = (seconds["decoding"], seconds["forward"], parts, seconds["answer"])
        cells = [f"{1e3 * statistics.median(values):.0f}" for values in columns]
        table.add_row(Path(str(video)).name, *cells, f"{ratio(seconds['answer'], parts):.2f}x")
    console.print(table)
