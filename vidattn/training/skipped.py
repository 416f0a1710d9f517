"""Videos that could not be decoded: named in a file and counted, so that none disappears silently."""

import csv
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.utilities.rank_zero import rank_zero_warn


class SkippedVideos(pl.Callback):
    """Collects what the loaders skipped and writes `skipped.csv` (path, reason) into the run's folder.

    Under `data.on_error: skip`; with `raise` the first such video stops the run. Each process writes its own file
    (`skipped-rank1.csv` and so on for the others). All of them add to the list `data.quarantine`, if there is one, but
    not what the machine may have been at fault for (memory, a disk), and not what lies behind a URL: it may be the
    network that failed, and it would never count as good again.
    """

    def __init__(self) -> None:
        self.skipped: dict[str, str] = {}  # path -> reason, in this stage
        self.listed: dict[str, str] = {}  # in all stages: what the file holds

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Start a new count: training and test are counted apart, and listed together."""
        self.folder = run_folder(trainer)
        self.skipped = {}

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int = 0,
        dataloader_idx: int = 0,
    ) -> None:
        """Note what was skipped on the way to this batch."""
        self._note(trainer, batch)

    on_validation_batch_end = on_test_batch_end = on_predict_batch_end = on_train_batch_end

    def _note(self, trainer: pl.Trainer, batch: dict[str, Any]) -> None:
        new = {path: reason for path, reason in batch["skipped"] if path not in self.skipped}
        if not new:
            return
        self.skipped |= new
        self.listed |= new
        rank = trainer.global_rank
        file = self.folder / (f"skipped-rank{rank}.csv" if rank else "skipped.csv")
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w", newline="", encoding="utf-8", errors="surrogateescape") as stream:
            writer = csv.writer(stream)
            writer.writerow(["path", "reason"])
            writer.writerows(self.listed.items())
        quarantine = getattr(getattr(trainer, "datamodule", None), "quarantine", None)
        if quarantine is not None:
            quarantine.add({path: new[path] for path in batch["broken"] if path in new and "://" not in path})
        for path, reason in new.items():
            rank_zero_warn(f"skipped {path}: {reason} (listed in {file})")


def run_folder(trainer: pl.Trainer) -> Path:
    """Where a run leaves its files. All processes must ask at the same time: the first tells it to the others."""
    return Path(trainer.log_dir or trainer.default_root_dir)
