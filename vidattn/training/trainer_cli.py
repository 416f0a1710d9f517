"""`vidattn fit | validate | test | predict`: Lightning's command line over our module and data."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import ModelCheckpoint, TQDMProgressBar, WeightAveraging
from pytorch_lightning.cli import LightningArgumentParser, LightningCLI
from pytorch_lightning.loggers import CSVLogger, TensorBoardLogger

from vidattn.data.datamodule import VideoDataModule
from vidattn.training.classifier import VideoClassifier
from vidattn.training.predictions import PredictionWriter
from vidattn.training.scorecard import Scorecard
from vidattn.training.skipped import SkippedVideos
from vidattn.training.threads import CoresForDecoding

RUN_VARIABLE = "VIDATTN_RUN"  # the number of the run, for the processes that Lightning starts


class ProgressBar(TQDMProgressBar):
    """Lightning's bar without the logger's version, which says nothing here."""

    def get_metrics(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> dict[str, Any]:
        """What stands behind the bar."""
        return {name: value for name, value in super().get_metrics(trainer, pl_module).items() if name != "v_num"}


class Checkpoint(ModelCheckpoint):
    """Lightning's, but a resumed run, which has a folder of its own, still knows the best checkpoint of its past."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take all of the state over; Lightning's leaves the scores behind where the folder is another."""
        super().load_state_dict(state_dict | {"dirpath": self.dirpath})


class TrainerCLI(LightningCLI):
    """Every key of a YAML is an argument of a constructor: `trainer`, `model` (`VideoClassifier`), `data`
    (`VideoDataModule`), `checkpoint` and `last_checkpoint` (`ModelCheckpoint`: what is kept as the best, and how often
    the last is written, to resume from) and `predictions` (`PredictionWriter`).

    Each run gets a folder of its own under `trainer.default_root_dir`, `run_<n>` (or `test_<n>`, `predict_<n>`), with
    `config.yaml`, `metrics.csv`, TensorBoard events, `checkpoints/best.ckpt` and `last.ckpt`, and what the test leaves.

    Args:
        args: command and options; those of the process by default.
        callbacks: further ones for the trainer.
    """

    def __init__(self, args: list[str] | None = None, callbacks: Sequence[pl.Callback] = ()) -> None:
        try:
            super().__init__(
                VideoClassifier,
                VideoDataModule,
                args=args,
                seed_everything_default=0,
                auto_configure_optimizers=False,
                trainer_defaults={
                    "default_root_dir": "outputs",
                    "use_distributed_sampler": False,  # ours shard already
                    "callbacks": [SkippedVideos(), Scorecard(), CoresForDecoding(), *callbacks],
                },
            )
        finally:
            os.environ.pop(RUN_VARIABLE, None)

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Our additions to Lightning's arguments."""
        parser.add_lightning_class_args(Checkpoint, "checkpoint")
        # Not `checkpoint.save_last`: that writes only when the best has changed.
        parser.add_lightning_class_args(Checkpoint, "last_checkpoint")
        parser.set_defaults(
            {
                "checkpoint.monitor": "val/video_top1",
                "checkpoint.mode": "max",
                "checkpoint.filename": "best",
                "checkpoint.enable_version_counter": False,
                "last_checkpoint.filename": "last",
                "last_checkpoint.enable_version_counter": False,
            }
        )
        parser.add_lightning_class_args(PredictionWriter, "predictions")
        parser.add_argument(
            "--test_after_fit", type=bool, default=True, help="test the best weights if data.test is set"
        )
        parser.link_arguments("seed_everything", "data.seed", compute_fn=int)

    def before_instantiate_classes(self) -> None:
        """A checkpoint holds all weights: those that the training started from need not be there any more."""
        config = self.config[self.subcommand]
        if config.ckpt_path:
            config.model.weights = None

    def instantiate_trainer(self, **kwargs: Any) -> pl.Trainer:
        """The trainer, with loggers that write into this run's folder unless the configuration names others."""
        root = self._get(self.config_init, "trainer.default_root_dir")
        if self._get(self.config_init, "trainer.enable_progress_bar") is not False:
            callbacks = self._get(self.config_init, "trainer.callbacks") or []
            callbacks = callbacks if isinstance(callbacks, list) else [callbacks]
            kwargs["callbacks"] = [*callbacks, ProgressBar(refresh_rate=10)]
        if self._get(self.config_init, "trainer.logger") in (None, True):
            run = next_run(Path(root), "run" if self.subcommand == "fit" else str(self.subcommand))
            kwargs["logger"] = [
                CSVLogger(root, name="", version=run),
                TensorBoardLogger(root, name="", version=run),
            ]
        return super().instantiate_trainer(**kwargs)

    def after_fit(self) -> None:
        """Test the best weights of the run that has just ended; the last where nothing was validated."""
        if not (self._get(self.config_init, "test_after_fit") and self.datamodule.sources["test"]):
            return
        callbacks: list[pl.Callback] = self.trainer.callbacks  # type: ignore[attr-defined]
        for callback in [one for one in callbacks if isinstance(one, WeightAveraging)]:
            callbacks.remove(callback)  # on loading it would put the weights of the last step back for the average
        kept = [one.best_model_path for one in callbacks if isinstance(one, ModelCheckpoint) and one.best_model_path]
        best = self.trainer.checkpoint_callback.best_model_path  # type: ignore[union-attr]
        self.trainer.test(self.model, self.datamodule, ckpt_path=best or next(iter(kept), None), verbose=False)


def next_run(root: Path, kind: str) -> str:
    """`<kind>_<n>` with the first n above all folders of that kind in `root`; the same for all processes of a run."""
    if RUN_VARIABLE not in os.environ:
        numbers = [path.name.removeprefix(f"{kind}_") for path in root.glob(f"{kind}_*")]
        os.environ[RUN_VARIABLE] = f"{kind}_{max((int(n) for n in numbers if n.isdigit()), default=-1) + 1}"
    return os.environ[RUN_VARIABLE]
