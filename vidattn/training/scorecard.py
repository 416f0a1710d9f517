"""The end of a test: one table with all that a result needs to be believed and used, on screen and on disk."""

import json
import math
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities.rank_zero import rank_zero_warn
from rich.table import Table

from vidattn.console import plain_console
from vidattn.data.readers import reader_version
from vidattn.tables import write_rows
from vidattn.training.module import VideoModule
from vidattn.training.report import Report
from vidattn.training.skipped import SkippedVideos, run_folder
from vidattn.training.write_picture import write_picture
from vidattn.wording import counted, in_words
from vidattn.writable import writing


class Scorecard(pl.Callback):
    """Prints the test's results, and writes `scorecard.json` and the task's pictures into the run's folder."""

    def on_test_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Forget earlier tests."""
        self.folder = run_folder(trainer)
        self.batches = self.views = self.short_of_views = 0
        self.began = math.nan

    def on_test_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """Start the clock where there is one batch only, whose decoding was before."""
        if not self.batches:
            self.began = time.perf_counter()

    def on_test_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, *_: Any) -> None:
        """Count the clips seen after the first batch, which takes the start of the workers as well."""
        self.views = len(batch["video"]) + (self.views if self.batches > 1 else 0)
        views = trainer.datamodule.views  # type: ignore[attr-defined]
        of_each = torch.bincount(batch["video_id"].unique(return_inverse=True)[1])
        self.short_of_views += int((of_each < views.num_test_clips * views.num_test_crops).sum())
        if not self.batches:
            self.began_after_first = time.perf_counter()
        self.batches += 1

    def on_test_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Put the card together, print it, write it."""
        task: VideoModule = pl_module  # type: ignore[assignment]
        seconds = time.perf_counter() - (self.began_after_first if self.batches > 1 else self.began)
        callbacks: list[pl.Callback] = trainer.callbacks  # type: ignore[attr-defined]
        noted = sum(len(callback.skipped) for callback in callbacks if isinstance(callback, SkippedVideos))
        counts = torch.tensor([self.views, noted, self.short_of_views], device=pl_module.device, dtype=torch.float64)
        views, skipped, fewer = trainer.strategy.reduce(counts, reduce_op="sum").tolist()
        if not trainer.is_global_zero:
            return
        report = task.report()
        card = self._card(trainer, task, report, views / seconds, int(skipped), int(fewer))
        folder = self.folder
        print_card(card, report, folder)  # first of all: what cannot be written was seen
        written = {name: None if value != value else value for name, value in card.items()}  # JSON knows no nan
        with writing(folder / "scorecard.json"):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "scorecard.json").write_text(json.dumps(written, indent=2) + "\n")
        if report.each:
            videos = trainer.datamodule.manifest("test").videos  # type: ignore[attr-defined]
            with writing(folder / "videos.csv"):
                write_rows([{"path": videos[row["video"]].path, **row} for row in report.each], folder / "videos.csv")
        for said in report.warnings:
            rank_zero_warn(said)
        for name, draw in report.figures.items():
            write_picture(draw, folder / name)

    def _card(
        self, trainer: pl.Trainer, task: VideoModule, report: Report, clips_per_second: float, skipped: int, fewer: int
    ) -> dict[str, Any]:
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        frames, size = data.sampling.num_frames, data.image_size
        checkpoint = trainer.ckpt_path
        return {
            **report.numbers,
            "views": data.view_spec,
            "videos_with_fewer_views": fewer,
            "videos_evaluated": report.videos,
            "videos": data.num_videos("test"),
            "videos_skipped": skipped,
            "attention": getattr(task.config, "attention", type(task.config).__name__),
            "input": f"{frames}x{size}x{size}",
            "parameters": sum(one.numel() for part in task.answering for one in part.parameters()),
            "macs_per_clip": task.answer_macs(frames, size, size),
            "clips_per_second": clips_per_second,
            "device": str(task.device),
            "reader": reader_version(data.reader),
            "seed": data.seed,
            "checkpoint": str(checkpoint) if checkpoint else None,
            "classify": f"vidattn classify VIDEO --weights {shortest(Path(checkpoint))}"
            if checkpoint and task.labels
            else None,
        }


def told_fewer(videos: int) -> str:
    """What stands behind the number of views where some videos had fewer.

    >>> told_fewer(0), told_fewer(2)
    ('', '; 2 videos have fewer (short or square)')
    """
    if not videos:
        return ""
    return f"; {counted(videos, 'video')} {'has' if videos == 1 else 'have'} fewer (short or square)"


def shortest(checkpoint: Path) -> Path:
    """What stands for a checkpoint in a command: a run's folder for its best.

    >>> shortest(Path("run_0/checkpoints/best.ckpt")).name, shortest(Path("run_0/checkpoints/last.ckpt")).name
    ('run_0', 'last.ckpt')
    """
    return checkpoint.parents[1] if checkpoint.match("checkpoints/best.ckpt") else checkpoint


def print_card(card: dict[str, Any], report: Report, folder: Path) -> None:
    """The scorecard as a table on the terminal, the task's own rows first."""
    table = Table(title="Scorecard", show_header=False, title_justify="left")
    of_all = "" if report.videos is None else f"{report.videos} of "
    rows = {
        **report.rows,
        "views (clips x crops)": card["views"] + told_fewer(card["videos_with_fewer_views"]),
        "evaluated": f"{of_all}{card['videos']} videos, {card['videos_skipped']} skipped",
        "attention, input": f"{card['attention']}, {card['input']}",
        "parameters": f"{card['parameters']:,}",
        "MACs per clip": f"{card['macs_per_clip']:,} (1 MAC = 2 FLOPs)",
        "throughput": f"{card['clips_per_second']:.1f} clips/s on {card['device']}, decoding included",
        "reader": card["reader"],
        "seed": str(card["seed"]),
    }
    for name, value in rows.items():
        table.add_row(name, value)
    console = plain_console()
    console.print(table)
    files = ["scorecard.json", *(["videos.csv"] if report.each else []), *report.figures]
    console.print(f"{in_words(files)} {'is' if len(files) == 1 else 'are'} in {folder}")
    if card["classify"]:
        console.print(f"Classify a file with this checkpoint:\n  {card['classify']}")
