"""The end of a test: one table with all that a result needs to be believed and used, on screen and on disk."""

import json
import math
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities.rank_zero import rank_zero_warn
from rich.console import Console
from rich.table import Table

from vidattn.data.readers import reader_version
from vidattn.plots.confusion import plot_confusion
from vidattn.training.multi_label import map_in_words
from vidattn.training.permuted import explained_by_order
from vidattn.training.pictures import write_picture
from vidattn.training.skipped import SkippedVideos, run_folder
from vidattn.training.video_classifier import VideoClassifier


class Scorecard(pl.Callback):
    """Prints the test's results, and writes `scorecard.json` and `confusion.png` into the run's folder."""

    def on_test_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Forget earlier tests."""
        self.folder = run_folder(trainer)
        self.batches = self.views = 0
        self.began = math.nan

    def on_test_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """Start the clock where there is one batch only, whose decoding was before."""
        if not self.batches:
            self.began = time.perf_counter()

    def on_test_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, *_: Any) -> None:
        """Count the clips seen after the first batch, which takes the start of the workers as well."""
        self.views = len(batch["label"]) + (self.views if self.batches > 1 else 0)
        if not self.batches:
            self.began_after_first = time.perf_counter()
        self.batches += 1

    def on_test_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Put the card together, print it, write it."""
        assert isinstance(pl_module, VideoClassifier)
        seconds = time.perf_counter() - (self.began_after_first if self.batches > 1 else self.began)
        callbacks: list[pl.Callback] = trainer.callbacks  # type: ignore[attr-defined]
        noted = sum(len(callback.skipped) for callback in callbacks if isinstance(callback, SkippedVideos))
        counts = torch.tensor([self.views, noted], device=pl_module.device, dtype=torch.float64)
        views, skipped = trainer.strategy.reduce(counts, reduce_op="sum").tolist()
        if not trainer.is_global_zero:
            return
        card = self._card(trainer, pl_module, views / seconds, int(skipped))
        folder = self.folder
        folder.mkdir(parents=True, exist_ok=True)
        written = {name: None if value != value else value for name, value in card.items()}  # JSON knows no nan
        (folder / "scorecard.json").write_text(json.dumps(written, indent=2) + "\n")
        print_card(card, folder)
        if card["videos_evaluated"] and "confusion" in pl_module.test_scores:
            confusion = pl_module.test_scores["confusion"].cpu().numpy()
            names = pl_module.class_names or [str(label) for label in range(len(confusion))]
            if said := explained_by_order(confusion, names):
                rank_zero_warn(said)
            title = f"{card['videos_evaluated']} test videos, {card['views']} views: {card['video_top1']:.1%} right"
            write_picture(lambda: plot_confusion(confusion, names, title), folder / "confusion.png")

    def _card(
        self, trainer: pl.Trainer, module: VideoClassifier, clips_per_second: float, skipped: int
    ) -> dict[str, Any]:
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        scores = {name: value.item() for name, value in module.test_scores.items() if value.ndim == 0}
        frames, size = data.sampling.num_frames, data.image_size
        checkpoint = trainer.ckpt_path
        return {
            **{name: score for name, score in scores.items() if name not in ("loss", "num_videos")},
            **({"num_classes": module.config.num_classes} if "mAP" in scores else {}),
            "views": data.view_spec,
            "videos_evaluated": int(scores["num_videos"]),
            "videos": data.num_videos("test"),
            "videos_skipped": skipped,
            "attention": module.config.attention,
            "input": f"{frames}x{size}x{size}",
            "parameters": sum(parameter.numel() for parameter in module.network.parameters()),
            "macs_per_clip": module.network.macs(frames, size, size).total,
            "clips_per_second": clips_per_second,
            "device": str(module.device),
            "reader": reader_version(data.reader),
            "seed": data.seed,
            "checkpoint": str(checkpoint) if checkpoint else None,
            "classify": f"vidattn classify VIDEO --weights {shortest(Path(checkpoint))}" if checkpoint else None,
        }


def shortest(checkpoint: Path) -> Path:
    """What stands for a checkpoint in a command: a run's folder for its best.

    >>> shortest(Path("run_0/checkpoints/best.ckpt")).name, shortest(Path("run_0/checkpoints/last.ckpt")).name
    ('run_0', 'last.ckpt')
    """
    return checkpoint.parents[1] if checkpoint.match("checkpoints/best.ckpt") else checkpoint


def print_card(card: dict[str, Any], folder: Path) -> None:
    """The scorecard as a table on the terminal."""
    table = Table(title="Scorecard", show_header=False, title_justify="left")
    if "mAP" in card:
        rows = {"mean average precision": map_in_words(card["mAP"], card["num_classes_scored"], card["num_classes"])}
    else:
        rows = {
            "clip top-1 / top-5": f"{card['clip_top1']:.1%} / {card['clip_top5']:.1%}",
            "video top-1 / top-5": f"{card['video_top1']:.1%} / {card['video_top5']:.1%}",
        }
    rows |= {
        "views (clips x crops)": card["views"],
        "evaluated": f"{card['videos_evaluated']} of {card['videos']} videos, {card['videos_skipped']} skipped",
        "attention, input": f"{card['attention']}, {card['input']}",
        "parameters": f"{card['parameters']:,}",
        "MACs per clip": f"{card['macs_per_clip']:,} (1 MAC = 2 FLOPs)",
        "throughput": f"{card['clips_per_second']:.1f} clips/s on {card['device']}, decoding included",
        "reader": card["reader"],
        "seed": str(card["seed"]),
    }
    for name, value in rows.items():
        table.add_row(name, value)
    console = Console(soft_wrap=True, markup=False, emoji=False)
    console.print(table)
    files = "scorecard.json is" if "mAP" in card else "scorecard.json and confusion.png are"
    console.print(f"{files} in {folder}", highlight=False)
    if card["classify"]:
        console.print(f"Classify a file with this checkpoint:\n  {card['classify']}", highlight=False)
