"""How much does pre-training without labels help where labels are few?

    python notebooks/few_labels.py        (or, side by side: python notebooks/few_labels.py 0, ... 1, ... 2)

The motion set, drawn in memory, with one thread: a masked autoencoder learns from clips without labels, then it and
a fresh network of the same kind learn from 1, 4, 16 and 64 clips of each of the eight classes, for the same number of
steps; a fresh one for as many steps as both together, too. Three seeds, other clips for each. Writes `few_labels.csv`
and draws `few_labels.png`; goes on where it was interrupted.
"""

import copy
import csv
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytorch_lightning as pl
import torch
from guided import Accuracy, Batches, clips, settings
from torch import Tensor

from vidattn import MaskedAutoencoder, VideoClassifier, VideoTransformerConfig
from vidattn.data.videos.few_labels import few
from vidattn.models import Decoder, TubeMask

HERE = Path(os.environ.get("FEW_LABELS_OUT", Path(__file__).parent))
TABLE = HERE / "few_labels.csv"
UNLABELLED, TEST, PRETRAIN_EPOCHS, STEPS, SEEDS = 4000, 400, 40, 600, 3
PER_CLASS = (1, 4, 16, 64)
NETWORK = VideoTransformerConfig(
    "divided", num_classes=8, image_size=32, patch_size=8, embed_dim=96, depth=2, num_heads=4, init_std=0.2,
    pooling="mean",
)  # fmt: skip


class Views(Batches):
    """Batches with the number of each view, which masks are drawn by."""

    def __iter__(self) -> Any:
        for batch in super().__iter__():
            yield batch | {"view": torch.zeros_like(batch["video_id"])}


def train(task: pl.LightningModule, video: Tensor, labels: Tensor, test: Any, steps: int, batch: int) -> list[float]:
    """So many steps, then the test: its accuracy, where the task is a classifier."""
    accuracy = Accuracy()
    loader = Views(video, labels, min(batch, len(video)), True)
    epochs = -(-steps // len(loader))
    trainer = pl.Trainer(
        max_epochs=epochs, gradient_clip_val=1.0, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0, log_every_n_steps=10**6,
        check_val_every_n_epoch=epochs, default_root_dir=tempfile.mkdtemp(),
        callbacks=[accuracy] if isinstance(task, VideoClassifier) else [],
    )  # fmt: skip
    trainer.fit(task, loader, Views(*test, 100, False))
    if not accuracy.values:
        share = trainer.callback_metrics["val/share"].item()
        print(f"share of the loss of painting the mean: {share:.3f}", flush=True)
    return accuracy.values


def rows() -> list[dict[str, str]]:
    """What was measured so far."""
    if not TABLE.exists():
        return []
    with TABLE.open() as stream:
        return list(csv.DictReader(stream))


def write(name: str, seed: int, per_class: int, top1: float) -> None:
    """Add a run to the table."""
    fresh = not TABLE.exists()
    with TABLE.open("a") as stream:
        if fresh:
            stream.write("start,seed,per_class,test_top1\n")
        stream.write(f"{name},{seed},{per_class},{top1:.4f}\n")


def draw() -> None:
    """`few_labels.png`: each seed a ring, the means joined."""
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    found = rows()
    for number, name in enumerate(dict.fromkeys(row["start"] for row in found)):
        means = []
        for place, per_class in enumerate(PER_CLASS):
            scores = [100 * float(row["test_top1"]) for row in found
                      if (row["start"], row["per_class"]) == (name, str(per_class))]  # fmt: skip
            axes.plot([place] * len(scores), scores, "o", color=f"C{number}", markerfacecolor="none", alpha=0.6)
            means.append(np.mean(scores) if scores else np.nan)
        axes.plot(range(len(PER_CLASS)), means, color=f"C{number}", marker="s", label=name)
    axes.axhline(12.5, color="0.3", linestyle=":", linewidth=1, label="chance")
    axes.set_xticks(range(len(PER_CLASS)), PER_CLASS)
    axes.set(xlabel="labelled clips of each class", ylabel="top-1 on 400 clips, %", ylim=(0, 100))
    axes.grid(alpha=0.3, linewidth=0.5)
    axes.legend(frameon=False)
    figure.savefig(HERE / "few_labels.png", dpi=110)


def main() -> None:
    """All runs that the table lacks, and the picture."""
    torch.set_num_threads(1)
    test = clips(TEST, 1000)
    for seed in [int(word) for word in sys.argv[1:]] or range(SEEDS):
        done = {(row["start"], int(row["per_class"])) for row in rows() if int(row["seed"]) == seed}
        if len(done) == 3 * len(PER_CLASS):
            continue
        video, labels = clips(UNLABELLED, seed)
        torch.manual_seed(seed)
        task = MaskedAutoencoder(NETWORK, TubeMask(0.75), Decoder(48, 1, 4), **settings(1e-3))
        steps = PRETRAIN_EPOCHS * (UNLABELLED // 64)
        train(task, video, labels, test, steps, 64)
        learnt = {name: value for name, value in task.network.state_dict().items() if not name.startswith("head.")}
        for per_class in PER_CLASS:
            places = few(labels.tolist(), per_class, seed)
            for name, weights, length in (
                ("pre-trained", learnt, STEPS),
                ("from scratch", {}, STEPS),
                ("from scratch, as long as both", {}, STEPS + steps),
            ):
                if (name, per_class) in done:
                    continue
                torch.manual_seed(seed)
                classifier = VideoClassifier(NETWORK, **settings(1e-3))
                classifier.network.load_state_dict(classifier.network.state_dict() | copy.deepcopy(weights))
                top1 = train(classifier, video[places], labels[places], test, length, 16)[-1]
                print(name, seed, per_class, top1, flush=True)
                write(name, seed, per_class, top1)
    draw()


if __name__ == "__main__":
    main()
