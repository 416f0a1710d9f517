"""Training runs on batches of noise, for what has nothing to do with videos."""

import warnings

import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader

from vidattn.models.config import VideoTransformerConfig
from vidattn.training.video_classifier import VideoClassifier

CONFIG = VideoTransformerConfig(
    num_classes=3, num_frames=4, image_size=16, patch_size=8, embed_dim=16, depth=2, num_heads=2
)


def batches(count, size=4, num_classes=3, seed=0):
    """As `VideoDataModule` makes them, of noise."""
    generator = torch.Generator().manual_seed(seed)
    return [
        {
            "video": torch.randint(256, (size, 3, 4, 16, 16), generator=generator, dtype=torch.uint8),
            "label": torch.randint(num_classes, (size,), generator=generator),
            "video_id": torch.arange(size) + step * size,
            "view": torch.zeros(size, dtype=torch.int64),
            "path": [f"clips/{step}-{i}.mp4" for i in range(size)],
            "skipped": [],
        }
        for step in range(count)
    ]


def loader(data):
    """They are batches already."""
    return DataLoader(data, batch_size=None)


def classifier(**options):
    """The same weights every time."""
    torch.manual_seed(0)
    return VideoClassifier(options.pop("network", CONFIG), **options)


def trainer(folder, **options):
    """On the CPU, and quiet."""
    warnings.filterwarnings("ignore", module="pytorch_lightning|lightning")
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "num_sanity_val_steps": 0}
    options = {"accelerator": "cpu", "max_epochs": 1, "enable_checkpointing": "callbacks" in options} | quiet | options
    return pl.Trainer(default_root_dir=folder, **options)


class Watch(pl.Callback):
    """Notes losses and learning rates of all steps."""

    def __init__(self):
        self.losses, self.rates = [], []

    def on_before_optimizer_step(self, trainer, pl_module, optimizer):
        self.rates.append([group["lr"] for group in optimizer.param_groups])

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        self.losses.append(outputs["loss"].item())


def fit(folder, model, data, val=None, **options):
    """Trainer and watch after training."""
    watch = Watch()
    run = trainer(folder, callbacks=[*options.pop("callbacks", []), watch], **options)
    run.fit(model, loader(data), loader(val or []))
    return run, watch
