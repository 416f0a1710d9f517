"""The best and the last weights of a run, written while it trains."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.io.torch_io import TorchCheckpointIO
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.strategies import DDPStrategy, SingleDeviceStrategy

from vidattn.mistakes import Mistake
from vidattn.training.module import VideoModule
from vidattn.training.whole_files import WholeFiles
from vidattn.writable import check_place

MONITOR = "val/video_top1"
"""What the command line chooses the best by where nobody says it, and the task does not measure anything else."""


class Checkpoint(ModelCheckpoint):
    """Lightning's, but a resumed run, which has a folder of its own, still knows the best checkpoint of its past and
    has a copy of it there; what the best is chosen by is the task's by default, and of equals it is the latest; what
    could not be kept as asked is refused before the training; and what monitors nothing is written at the end of each
    epoch too, where Lightning's takes either that or the end of each validation."""

    _past_best = ""  # where a resumed run left the best checkpoint, until there is a copy in this run's folder

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Settle what is monitored, before the state of an earlier run is looked up by it.

        Raises:
            ValueError: a training would keep the worst, or not what it is asked for.
        """
        super().setup(trainer, pl_module, stage)
        if type(trainer.strategy.checkpoint_io) is TorchCheckpointIO and isinstance(
            trainer.strategy, SingleDeviceStrategy | DDPStrategy
        ):
            trainer.strategy.checkpoint_io = WholeFiles()
        task: VideoModule = pl_module  # type: ignore[assignment]
        if self.monitor == MONITOR:
            self.monitor = task.monitor
            if task.monitor != MONITOR and task.monitor_mode != self.mode:
                self.mode, self.kth_value = task.monitor_mode, -self.kth_value
            if not trainer.datamodule.sources["val"]:  # type: ignore[attr-defined]
                self.save_top_k = 0  # nothing is the best where nothing is validated
        if stage == "fit" and self.monitor:
            self._check(self.monitor, task.scores)
        if stage == "fit" and self.save_top_k and "://" not in str(self.dirpath):
            size = sum(weight.numel() * weight.element_size() for weight in task.parameters())
            check_place(Path(str(self.dirpath)), folder=True, size=size)

    def _check(self, monitor: str, scores: Sequence[str]) -> None:
        split, _, score = monitor.partition("/")
        if split == "val" and score not in scores:
            known = ", ".join(f"val/{name}" for name in scores)
            raise Mistake(f"checkpoint.monitor={monitor} is not measured here; choose one of {known}")
        if score.startswith("loss") and self.mode == "max":
            raise Mistake(
                f"checkpoint.monitor={monitor} with checkpoint.mode=max keeps the worst; add checkpoint.mode=min"
            )
        if self.save_top_k not in (0, 1) and "{" not in (self.filename or "{"):
            raise Mistake(
                f"checkpoint.save_top_k={self.save_top_k} keeps several files, and checkpoint.filename={self.filename} "
                "is one name for all; give them names of their own, such as 'best-{epoch}-{step}'"
            )

    def check_monitor_top_k(self, trainer: pl.Trainer, current: torch.Tensor | None = None) -> bool:
        """Whether to keep a checkpoint with this score: also where it is equal to the worst that is kept, for of
        a small validation set many are, and the first to reach it has learnt least."""
        if current is None or super().check_monitor_top_k(trainer, current):
            return current is not None
        worst = self.best_k_models.get(self.kth_best_model_path)
        return trainer.strategy.reduce_boolean_decision(worst is not None and bool(current == worst))

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write what monitors nothing, if it has not just been written."""
        chosen = self._save_on_train_epoch_end
        if self.monitor is None and chosen is None:
            self._save_on_train_epoch_end = True
        super().on_train_epoch_end(trainer, pl_module)
        self._save_on_train_epoch_end = chosen

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take all of the state over; Lightning's leaves the scores behind where the folder is another."""
        super().load_state_dict(state_dict | {"dirpath": self.dirpath})
        self._past_best = self.best_model_path if self.monitor else ""

    def on_train_batch_end(self, trainer: pl.Trainer, *others: Any) -> None:
        """Not before the first step is done: a run that fails until then leaves nothing behind."""
        self._copy_past_best(trainer)
        super().on_train_batch_end(trainer, *others)

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """A run that had come to its end before makes no step."""
        self._copy_past_best(trainer)

    def _copy_past_best(self, trainer: pl.Trainer) -> None:
        """Make the best checkpoint of the past this run's best: what answers with the run looks into its folder."""
        past, self._past_best = self._past_best, ""
        trial = trainer.fast_dev_run  # type: ignore[attr-defined]
        if not past or trial or "://" in str(self.dirpath):
            return
        assert self.dirpath is not None
        ours = os.path.join(self.dirpath, os.path.basename(past))
        if not trainer.strategy.broadcast(ours != past and os.path.isfile(past)):
            return
        if trainer.is_global_zero:
            os.makedirs(self.dirpath, exist_ok=True)
            shutil.copyfile(past, f"{ours}.part")  # not a link: who writes into one file would change the other
            os.replace(f"{ours}.part", ours)
        trainer.strategy.barrier()
        self.best_model_path = ours
        self.best_k_models = {ours if path == past else path: score for path, score in self.best_k_models.items()}
        if self.kth_best_model_path == past:
            self.kth_best_model_path = ours
