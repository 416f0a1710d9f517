"""Does a teacher, or a slow start of attention, make a small network learn the motion set faster?

    python notebooks/guided.py            (or, side by side: python notebooks/guided.py 0, ... 1, ... 2)

Trains on the motion set, drawn in memory, with one thread: first a teacher (divided, width 96), then students of half
the width, by themselves and with every kind of help, three seeds each. Writes the accuracy after each epoch into
`guided_runs.csv` and draws `guided.png`; goes on where it was interrupted. A minute or two a run on a quiet core.
"""

import csv
import os
import sys
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor

from vidattn import Distillation, VideoClassifier, VideoTransformerConfig
from vidattn.checkpoints.pretrained import Pretrained
from vidattn.data import MotionSet
from vidattn.preprocessing import Preprocessing
from vidattn.training import ProgressiveAttention, TeachLogits, TeachMaps, WarmupCosine

HERE = Path(__file__).parent
OUT = Path(os.environ.get("GUIDED_OUT", HERE))
TABLE = OUT / "guided_runs.csv"
TEACHER = OUT / "guided_teacher"
TRAIN, VAL, EPOCHS, SEEDS = 4000, 400, 6, 3
MOTION = MotionSet("never written", size=32)
HELP: dict[str, Any] = {
    "alone": None,
    "maps x 10": [TeachMaps(10.0)],
    "slow start": ProgressiveAttention(EPOCHS / 4),
    "maps x 100": [TeachMaps(100.0)],
    "logits, maps x 10": [TeachLogits(), TeachMaps(10.0)],
    "logits": [TeachLogits()],
    "maps x 1": [TeachMaps(1.0)],
}
"""Lessons of a teacher, or a callback; the runs that matter most come first."""


def network(width: int) -> VideoTransformerConfig:
    """That of configs/motion_divided.yaml, in this width."""
    return VideoTransformerConfig(
        "divided", num_classes=8, image_size=32, patch_size=16, embed_dim=width, depth=2, num_heads=4,
        init_std=2 * width**-0.5, pooling="mean",
    )  # fmt: skip


def clips(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """uint8 `(count, 3, 8, 32, 32)` and their classes."""
    labels = torch.arange(count) % 8
    frames = [MOTION.draw(int(label), np.random.default_rng((seed, i))) for i, label in enumerate(labels)]
    return torch.from_numpy(np.stack(frames)).permute(0, 4, 1, 2, 3).contiguous(), labels


class Batches:
    """Batches as `VideoDataModule` makes them, in another order in each epoch."""

    def __init__(self, video: Tensor, labels: Tensor, size: int, shuffled: bool) -> None:
        self.video, self.labels, self.size, self.shuffled = video, labels, size, shuffled

    def __len__(self) -> int:
        return len(self.video) // self.size

    def __iter__(self) -> Any:
        order = torch.randperm(len(self.video)) if self.shuffled else torch.arange(len(self.video))
        for places in order.split(self.size)[: len(self)]:
            yield {"video": self.video[places], "label": self.labels[places], "video_id": places,
                   "path": [str(place) for place in places.tolist()]}  # fmt: skip


class Accuracy(pl.Callback):
    """Top-1 after each epoch."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Keep it."""
        self.values.append(trainer.callback_metrics["val/video_top1"].item())


def fit(
    task: pl.LightningModule, data: list[tuple[Tensor, Tensor]], epochs: int, batch: int, callbacks: list[pl.Callback]
) -> list[float]:
    """Train for so many epochs, with so many clips in a batch; the accuracy after each epoch."""
    accuracy = Accuracy()
    trainer = pl.Trainer(
        max_epochs=epochs, gradient_clip_val=1.0, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0, callbacks=[accuracy, *callbacks],
    )  # fmt: skip
    train, val = data
    trainer.fit(task, Batches(*train, batch, True), Batches(*val, 100, False))
    return accuracy.values


def settings(rate: float) -> dict[str, Any]:
    """Optimizer and schedule of configs/motion_divided.yaml, with this rate."""

    def optimizer(groups: Any) -> torch.optim.Optimizer:
        return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), weight_decay=0.05)

    return {"optimizer": optimizer, "schedule": WarmupCosine(1.0)}


def rows() -> list[dict[str, str]]:
    """What was measured so far."""
    if not TABLE.exists():
        return []
    with TABLE.open() as stream:
        return list(csv.DictReader(stream))


def write(name: str, seed: int, values: list[float]) -> None:
    """Add a run to the table."""
    fresh = not TABLE.exists()
    with TABLE.open("a") as stream:
        if fresh:
            stream.write("run,seed,epoch,val_top1\n")
        stream.writelines(
            f"{name!r},{seed},{epoch},{value:.4f}\n".replace("'", '"') for epoch, value in enumerate(values, 1)
        )


def draw() -> None:
    """`guided.png`: each seed a line, for each kind of help."""
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    found: dict[tuple[str, str], list[float]] = {}
    for row in rows():
        found.setdefault((row["run"], row["seed"]), []).append(float(row["val_top1"]))
    colours = {name: f"C{index}" for index, name in enumerate(dict.fromkeys(name for name, _ in found))}
    for (name, seed), values in found.items():
        label = name if seed == min(own for run, own in found if run == name) else None
        axes.plot(range(1, len(values) + 1), values, color=colours[name], label=label, linewidth=1.2)
    axes.set(xlabel="epoch", ylabel="top-1 on 400 clips", ylim=(0, 1))
    axes.legend()
    figure.savefig(OUT / "guided.png", dpi=110)


def main() -> None:
    """All runs that the table lacks, and the picture."""
    torch.set_num_threads(1)
    data = [clips(TRAIN, 1), clips(VAL, 2)]
    done = {(row["run"], int(row["seed"])) for row in rows()}
    if ("teacher", 0) not in done or not TEACHER.exists():
        torch.manual_seed(0)
        task = VideoClassifier(network(96), **settings(1e-3))
        values = fit(task, data, 12, 16, [])
        pixels = Preprocessing(None, 32).with_pixels(**task.normalize.values())
        Pretrained(task.network, MOTION.class_names, pixels).save_pretrained(TEACHER)
        write("teacher", 0, values)
    for seed in [int(word) for word in sys.argv[1:]] or range(SEEDS):
        for name, help in HELP.items():
            if (name, seed) in done:
                continue
            torch.manual_seed(seed)
            taught = isinstance(help, list)
            if taught:
                task = Distillation(network(48), str(TEACHER), help, **settings(3e-3))
            else:
                task = VideoClassifier(network(48), **settings(3e-3))
            values = fit(task, data, EPOCHS, 64, [] if taught or help is None else [help])
            print(name, seed, values, flush=True)
            write(name, seed, values)
    draw()


if __name__ == "__main__":
    main()
