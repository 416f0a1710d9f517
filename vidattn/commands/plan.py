"""`vidattn plan`: hours, memory, bottleneck and price of a training on many GPUs, before it is begun."""

import argparse
import json
import random
from dataclasses import fields
from pathlib import Path

import torch
from rich.console import Console

from vidattn.commands.options import Parser, pixels
from vidattn.commands.plan_report import as_json, assumed_table, memory_lines, moving, plan_table
from vidattn.commands.task_on_meta import task_on_meta
from vidattn.comparison.source import find_source
from vidattn.console import plain_console
from vidattn.data.clips.sampling import StrideSampling
from vidattn.data.videos.manifest import read_manifest
from vidattn.data.videos.shards import is_shards
from vidattn.mistakes import Mistake
from vidattn.models.presets import PRESETS
from vidattn.planning.closed_form import moved, plan as planned
from vidattn.planning.cluster import ASSUMED, Cluster
from vidattn.planning.costs import cost_of_classifier, cost_of_painting
from vidattn.planning.job import Cost, Job
from vidattn.planning.numbers import number, share, whole
from vidattn.planning.sample import measure_sample
from vidattn.planning.scaling import scale
from vidattn.planning.simulation import simulate
from vidattn.training.masked_autoencoder import MaskedAutoencoder
from vidattn.training.masked_prediction import MaskedPrediction
from vidattn.wording import counted
from vidattn.writable import check_place

NEEDED = ("videos", "seconds", "gpus", "network", "epochs")
EXAMPLE = "vidattn plan --videos 240k --seconds 10 --gpus 64 --network timesformer --epochs 15 --out plan.png"
PICTURES = (".png", ".pdf", ".svg")
HELP = {
    "gpus_per_node": "of a machine",
    "cores_per_node": "that decode on a machine",
    "gpu_tflops": "peak of a GPU in 1e12 FLOPs a second",
    "mfu": "share of the peak that training reaches, as in 0.35",
    "gpu_gb": "memory of a GPU in gigabytes",
    "decode_clips_per_core": "clips that a core decodes and transforms in a second (vidattn bench-loader)",
    "bytes_per_second_of_video": "of the files",
    "storage_gbps": "gigabits a second that the storage gives to all machines together",
    "network_gbps": "gigabits a second of a machine's network, each way",
    "link_gbps": "gigabits a second between the GPUs of a machine, each way",
    "spread": "deviation of a GPU's step time, as a share of its mean",
    "prefetch": "batches that each loading worker may be ahead",
    "node_hours": "mean hours between failures of a machine",
    "restart_minutes": "from a failure to the next step",
    "checkpoint_minutes": "between checkpoints (default: the end of each epoch)",
    "clips_per_gpu": "clips of this network that a GPU trains on in a second, where that is known (vidattn flops "
    "NETWORK --measure says it); takes the place of --gpu-tflops and --mfu",
    "price_per_gpu_hour": "for what the training costs",
}
WHOLE = ("gpus_per_node", "prefetch")


def plan(words: list[str]) -> None:
    """`vidattn plan`, with the words behind it."""
    parser = Parser(
        prog="vidattn plan",
        usage="vidattn plan --videos N --seconds S --gpus G --network NAME --epochs E [...]   (all of it: --help)",
        description="What a training takes on many GPUs: seconds of an epoch, memory of a GPU, what will be waited for "
        "and what helps, hours and price; in closed form and simulated. What is not given is assumed, and listed.",
        epilog=f"example: {EXAMPLE}",
    )
    parser.add_argument("--videos", type=whole, help="of the training set, as in 240000, 240k or 1.5M")
    parser.add_argument("--seconds", type=number, help="of a video")
    parser.add_argument("--gpus", type=whole, help="in all")
    parser.add_argument(
        "--network",
        help=f"a preset ({', '.join(list(PRESETS)[:5])}, ...), a scheme such as time+space (at ViT-B/16), a YAML of "
        "vidattn fit (also of a pre-training), a run's folder or a checkpoint",
    )
    parser.add_argument("--epochs", type=whole, help="over the videos")
    parser.add_argument("--batch", type=whole, default=8, help="clips of a step on each GPU (default 8)")
    parser.add_argument("--clips-per-video", type=whole, default=1, help="drawn from each video that is read")
    parser.add_argument("--frames", type=whole, help="of a clip; by default those that the network is made for")
    parser.add_argument("--size", type=pixels, help="of a clip, as in 224 or 224x320 (height x width); likewise")
    parser.add_argument(
        "--pretraining", action="store_true", help="by a masked autoencoder (nine tenths hidden) instead of on labels"
    )
    parser.add_argument(
        "--sample", metavar="PATH", help="some of your videos: decoding and bytes are measured here, on one core"
    )
    for field in fields(Cluster):
        if field.name in HELP:
            kind = share if field.name == "mfu" else whole if field.name in WHOLE else number
            said = HELP[field.name] if field.default is None else f"{HELP[field.name]} (default {field.default})"
            parser.add_argument(f"--{field.name.replace('_', '-')}", type=kind, help=said)
    parser.add_argument("--seed", type=int, default=0, help="of the simulation")
    parser.add_argument("--out", metavar="F.png", help="draw efficiency over GPUs into this file")
    parser.add_argument("--json", metavar="F.json", help="write all numbers into this file")
    options = parser.parse_args(words)
    if missing := [name for name in NEEDED if getattr(options, name) is None]:
        parser.error(f"give --{missing[0]} as well, as in {EXAMPLE}")
    for path, endings in ((options.out, PICTURES), (options.json, (".json",))):
        if path and not path.endswith(endings):
            raise Mistake(f"{path} must end in {' or '.join(endings)}")
        if path:
            check_place(Path(path), folder=False)
    run(options)


def run(options: argparse.Namespace) -> None:
    """Plan, print and write what the options ask for."""
    console = plain_console()
    job = Job(cost_of(options), options.videos, options.seconds, options.epochs, options.batch, options.clips_per_video)
    given = {name: getattr(options, name) for name in HELP if getattr(options, name) is not None}
    measured = {} if options.sample is None else sampled(options, job.cost, console)
    cluster = Cluster(options.gpus, **{**measured, **given})
    one = planned(job, cluster)
    went = simulate(one, options.seed)
    console.print(plan_table(one, went))
    for line in memory_lines(job, cluster):
        console.print(line)
    console.print(moving(one, moved(one)), style="bold")
    instead = {"gpu_tflops", "mfu"} if cluster.clips_per_gpu is not None else set()
    assumed = {name: why for name, why in ASSUMED.items() if name not in {*given, *measured, *instead}}
    if assumed:
        console.print(assumed_table(cluster, assumed))
    if options.json:
        written = as_json(one, went, assumed) | {"measured": measured}
        Path(options.json).parent.mkdir(parents=True, exist_ok=True)
        Path(options.json).write_text(json.dumps(written, indent=2) + "\n")
    if options.out:
        from vidattn.plots import fonts
        from vidattn.plots.scaling import plot_scaling

        scaled = scale(job, cluster)
        title = f"{job.cost.name}, {job.cost.clip}, batch {job.batch} a GPU, storage {cluster.storage_gbps:g} Gbit/s"
        figure = plot_scaling(scaled.gpus, scaled.limits, scaled.simulated, cluster.gpus, title)
        Path(options.out).parent.mkdir(parents=True, exist_ok=True)
        fonts.save(figure, options.out, dpi=110)
    if written_to := [path for path in (options.json, options.out) if path]:
        console.print(f"wrote {', '.join(written_to)}")


def cost_of(options: argparse.Namespace) -> Cost:
    """Of what the options name.

    Raises:
        ValueError: it names nothing, or does not see such clips, or cannot leave places out.
    """
    source = find_source(options.network, options.frames, options.size)
    size = options.size or source.config.size
    frames = options.frames or source.config.num_frames
    task = task_on_meta(options.network, MaskedPrediction)  # type: ignore[type-abstract]
    if task is None and options.pretraining:
        with torch.device("meta"):
            task = MaskedAutoencoder(source.config)
    if task is None:
        return cost_of_classifier(source.name, source.config, frames, *size)
    return cost_of_painting(f"{source.name}, {type(task).__name__}", task, frames, *size)


def sampled(options: argparse.Namespace, cost: Cost, console: Console, most: int = 8) -> dict[str, float]:
    """Settings that some of the user's videos give."""
    if is_shards(options.sample):
        raise Mistake(f"{options.sample} holds shards; --sample wants videos, a list or a folder of them")
    videos = read_manifest(options.sample).videos
    some = random.Random(0).sample(videos, min(most, len(videos)))
    frames, height, width = map(int, cost.clip.split(" x "))
    sample = measure_sample(some, StrideSampling(frames, max(1, 256 // frames)), min(height, width))
    console.print(
        f"{options.sample}: {counted(len(some), 'video')}, of {sample.bytes_per_second:,.0f} bytes a second; a core "
        f"decodes {sample.clips_per_core:.1f} clips a second, transforms included, measured here"
    )
    return {"decode_clips_per_core": sample.clips_per_core, "bytes_per_second_of_video": sample.bytes_per_second}
