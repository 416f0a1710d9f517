"""`vidattn bench-model`: our networks against Hugging Face's TimeSformer."""

import statistics
import time
from dataclasses import replace
from typing import Literal

import torch
from rich.table import Table

from vidattn.bench.model import against_hugging_face
from vidattn.bench.timing import ratio, ratios
from vidattn.checks import check_positive
from vidattn.commands.options import call
from vidattn.console import plain_console
from vidattn.mistakes import Mistake
from vidattn.models.presets import VIT


def bench_model(words: list[str]) -> None:
    """`vidattn bench-model`, with the words behind it."""
    call(run, words, "bench-model")


def run(
    attention: list[Literal["divided", "joint", "space"]] = ["joint", "divided", "space"],  # noqa: B006
    size: Literal["Ti", "S", "B", "L"] = "B",
    num_frames: int = 8,
    image_size: int = 224,
    batch_size: int = 1,
    rounds: int = 7,
    training: bool = False,
    precision: Literal["fp32", "bf16"] = "fp32",
    threads: int | None = None,
    cpu_time: bool = False,
) -> None:
    """Time our network against Hugging Face's TimeSformer with the same random weights, on this CPU or GPU.

    Inference is timed in our network's lean form (`vidattn.lean`), in which it answers.

    Args:
        attention: schemes to time, those that the official code released.
        size: width and depth.
        num_frames: frames T of a clip.
        image_size: height and width in pixels.
        batch_size: clips at once.
        rounds: interleaved runs of each; the table gives medians.
        training: time forward and backward instead of inference.
        precision: bf16 runs both under autocast, as Lightning's bf16-mixed does.
        threads: CPU threads; all by default.
        cpu_time: count the seconds that this process spent on its CPUs, for machines that have other work.

    Raises:
        ValueError: a number is below 1, the patch does not divide the size, or CPU time is asked of a GPU.
    """
    check_positive(batch_size=batch_size, rounds=rounds)
    configs = [
        replace(VIT[size], attention=scheme, num_frames=num_frames, image_size=image_size) for scheme in attention
    ]
    if threads:
        torch.set_num_threads(threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if cpu_time and device == "cuda":
        raise Mistake("cpu_time=True counts nothing of what the GPU does; leave it out, or hide the GPU")
    what = "training step (forward + backward)" if training else "inference"
    columns = ("attention", "HF ms", "ours ms", "times as fast", "range", "largest difference")
    table = Table(*columns, title_justify="left")
    clock = time.process_time if cpu_time else time.perf_counter
    table.title = f"ViT-{size}/16 {num_frames}x{image_size}, batch {batch_size}, {precision}, {what} on {device}"
    table.title += ", CPU time" if cpu_time else ""
    for scheme, config in zip(attention, configs, strict=True):
        seconds, difference = against_hugging_face(config, batch_size, rounds, training, precision == "bf16", clock)
        cells = [f"{1e3 * statistics.median(seconds[name]):.1f}" for name in ("hf", "ours")]
        each = ratios(seconds["hf"], seconds["ours"])
        cells += [f"{ratio(seconds['hf'], seconds['ours']):.2f}", f"{min(each):.2f}-{max(each):.2f}"]
        table.add_row(scheme, *cells, f"{difference:.1e}")
    plain_console().print(table)
