"""The smallest complete run: twelve tiny videos of three classes, and a network that trains on them in a second."""

import csv
import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
import yaml
from encode import encode_video
from forked import Forked
from torch.distributed.tensor import DTensor

CLASSES = ["dark", "grey", "light"]
SIZE = 32
SPLITS = {"train": 12, "val": 5, "test": 8}
FSDP2 = {
    "class_path": "ModelParallelStrategy",
    "init_args": {"data_parallel_size": 2, "tensor_parallel_size": 1, "save_distributed_checkpoint": False},
}


def write_set(folder: Path) -> Path:
    """Videos of 6 noisy frames, a class for each brightness, and the lists `train.csv`, `val.csv` and `test.csv`.

    The second test video has a wrong label, so that no network is always right.
    """
    random = np.random.default_rng(0)
    for split, count in SPLITS.items():
        rows = []
        for number in range(count):
            label = number % len(CLASSES)
            frames = random.integers(0, 60, (6, SIZE, SIZE + 8, 3)) + 90 * label
            encode_video(folder / f"{split}{number}.mp4", frames.astype(np.uint8), options={"preset": "ultrafast"})
            wrong = split == "test" and number == 1
            rows.append(f"{split}{number}.mp4,{CLASSES[0 if wrong else label]}")
        (folder / f"{split}.csv").write_text("\n".join(rows) + "\n")
    return folder


def add_broken(videos: Path, split: str, place: int) -> Path:
    """A copy of the list with `broken_<split>.mp4`, which is no video, in this place (counted from 0)."""
    (videos / f"broken_{split}.mp4").write_bytes(b"no video at all" * 100)
    rows = (videos / f"{split}.csv").read_text().splitlines()
    rows.insert(place, f"broken_{split}.mp4,{CLASSES[0]}")
    path = videos / f"{split}_broken.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def half_broken(videos: Path, folder: Path) -> Path:
    """A list of four test videos with one that is no video behind each: the second of two processes has none."""
    rows = [f"{videos / row}" for row in (videos / "test.csv").read_text().splitlines()[:4]]
    broken = []
    for number in range(len(rows)):
        (folder / f"broken{number}.mp4").write_bytes(b"no video at all" * 100)
        broken.append(f"{folder}/broken{number}.mp4,{CLASSES[0]}")
    path = folder / "half_broken.csv"
    path.write_text("".join(f"{row}\n" for pair in zip(rows, broken, strict=True) for row in pair))
    return path


def config(videos: Path, output: Path) -> dict[str, Any]:
    """A complete configuration for `vidattn fit`, to be changed by the test and written by `write_config`."""
    return {
        "seed_everything": 7,
        "trainer": {
            "accelerator": "cpu",
            "devices": 1,
            "max_epochs": 2,
            "default_root_dir": str(output),
            "enable_progress_bar": False,
            "enable_model_summary": False,
            "num_sanity_val_steps": 0,
            "log_every_n_steps": 1,
        },
        "model": {
            "network": {
                "attention": "divided",
                "num_classes": len(CLASSES),
                "num_frames": 4,
                "image_size": SIZE,
                "patch_size": 8,
                "embed_dim": 16,
                "depth": 2,
                "num_heads": 2,
            },
            "optimizer": {"class_path": "torch.optim.AdamW", "init_args": {"lr": 0.003}},
            "schedule": {"class_path": "vidattn.training.WarmupCosine", "init_args": {"warmup_epochs": 1}},
        },
        "data": {
            "sampling": {
                "class_path": "vidattn.data.StrideSampling",
                "init_args": {"num_frames": 4, "frame_stride": 1},
            },
            "train": str(videos / "train.csv"),
            "val": str(videos / "val.csv"),
            "test": str(videos / "test.csv"),
            "image_size": SIZE,
            "batch_size": 4,
            "eval_batch_size": 2,
            "num_workers": 0,
            "decode_timeout": None,  # a watchdog is a process to fork; tests/training/test_unbreakable.py has one
            "num_test_clips": 2,
            "num_test_crops": 3,
        },
    }


def write_config(path: Path, values: dict[str, Any]) -> Path:
    """`values` as YAML."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(values))
    return path


def start(*words: Any, **variables: str) -> Forked:
    """`vidattn <words>` in a process of its own, with one thread; its output goes to one pipe."""
    return Forked("-m", "vidattn.cli", *words, **variables)


def column(run_folder: Path, name: str) -> list[float]:
    """The numbers that a run logged under this name, in their order."""
    with (run_folder / "metrics.csv").open() as stream:
        return [float(row[name]) for row in csv.DictReader(stream) if row[name]]


class Slow(torch.nn.Module):
    """A training transform that takes its time where the environment asks for it, so that a test can interrupt."""

    def forward(self, clip: torch.Tensor) -> torch.Tensor:
        """The clip as it is."""
        time.sleep(float(os.environ.get("TINY_RUN_SLOW", "0")))
        return clip


class Ending(pl.Callback):
    """Asks the process to end (SIGTERM) after this many steps."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Ask."""
        if trainer.global_step == self.step:
            os.kill(os.getpid(), signal.SIGTERM)


class ShardSizes(pl.Callback):
    """Writes how many numbers of the network's parameters each process holds, into `folder/<process>`."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Count and write."""
        local = [parameter.to_local() for parameter in pl_module.parameters() if isinstance(parameter, DTensor)]
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / str(trainer.global_rank)).write_text(str(sum(shard.numel() for shard in local)))
