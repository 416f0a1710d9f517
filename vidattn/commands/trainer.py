"""`vidattn fit | validate | test | predict`: Lightning's command line over our module and data."""

import os
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import ModelCheckpoint, TQDMProgressBar, WeightAveraging
from pytorch_lightning.cli import LightningArgumentParser, LightningCLI
from pytorch_lightning.utilities.exceptions import SIGTERMException
from pytorch_lightning.utilities.model_helpers import is_overridden
from pytorch_lightning.utilities.rank_zero import rank_zero_warn

from vidattn.commands.configuration import Parser, names_task
from vidattn.commands.run_folders import RUN_VARIABLE, next_run, remove_if_nothing_came
from vidattn.data.datamodule import VideoDataModule
from vidattn.data.flat_keys import nested_words
from vidattn.data.videos.splits import Split
from vidattn.mistakes import Mistake
from vidattn.old_names import renewed
from vidattn.training.checkpoint import MONITOR, Checkpoint
from vidattn.training.label_agreement import check_labelled, count_as_checkpoint, names_in_checkpoint
from vidattn.training.loggers import RunCSV, RunEvents
from vidattn.training.module import VideoModule
from vidattn.training.predictions import PredictionWriter
from vidattn.training.run_weights import check_checkpoint, checkpoint_to_answer_with
from vidattn.training.scorecard import Scorecard
from vidattn.training.skipped import SkippedVideos
from vidattn.training.summary import Summary
from vidattn.training.threads import CoresForDecoding
from vidattn.training.video_classifier import VideoClassifier


class ProgressBar(TQDMProgressBar):
    """Lightning's bar without the logger's version, which says nothing here."""

    def get_metrics(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> dict[str, Any]:
        """What stands behind the bar."""
        return {name: value for name, value in super().get_metrics(trainer, pl_module).items() if name != "v_num"}


class TrainerCLI(LightningCLI):
    """Every key of a YAML is an argument of a constructor: `trainer`, `model` (`VideoClassifier`, or any other task by
    `class_path` and `init_args`), `data` (`VideoDataModule`), `checkpoint` and `last_checkpoint` (`ModelCheckpoint`:
    what is kept as the best, and how often the last is written, to resume from) and `predictions` (`PredictionWriter`).

    Each run gets a folder of its own under `trainer.default_root_dir`, `run_<n>` (or `test_<n>`, `predict_<n>`), with
    `config.yaml`, `metrics.csv`, TensorBoard events, `checkpoints/best.ckpt` and `last.ckpt`, and what the test leaves.
    It is removed where the run fails before anything came of it.

    Args:
        args: command and options; the command stands first.
        callbacks: further ones for the trainer.

    Raises:
        ValueError: arguments are wrong, or there are no weights to answer with.
        SIGTERMException: the process was asked to end (SIGTERM), also where that ended its data workers first.
    """

    def __init__(self, args: list[str], callbacks: Sequence[pl.Callback] = ()) -> None:
        self.run_folder: Path | None = None  # where this process has made it
        self.command = args[0]
        named = names_task(args)
        try:
            super().__init__(
                VideoModule if named else VideoClassifier,
                VideoDataModule,
                subclass_mode_model=named,
                parser_class=Parser,
                parser_kwargs={"prog": "vidattn"},
                args=args,
                seed_everything_default=0,
                auto_configure_optimizers=False,
                trainer_defaults={
                    "default_root_dir": "outputs",
                    "use_distributed_sampler": False,  # ours shard already
                    "callbacks": [SkippedVideos(), Scorecard(), CoresForDecoding(), *callbacks],
                },
            )
        except BaseException as error:
            if self.run_folder is not None:
                remove_if_nothing_came(self.run_folder)
            trainer = getattr(self, "trainer", None)
            if isinstance(error, RuntimeError) and trainer is not None and trainer.received_sigterm:
                raise SIGTERMException from error  # the job was ended with all its processes, data workers first
            raise
        finally:
            os.environ.pop(RUN_VARIABLE, None)

    def subcommands(self) -> dict[str, set[str]]:  # type: ignore[override]
        """The command that runs, alone: making the parsers of the others takes longer than all else at the start."""
        return {self.command: LightningCLI.subcommands()[self.command]}

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Our additions to Lightning's arguments."""
        parser.add_lightning_class_args(Checkpoint, "checkpoint")
        # Not `checkpoint.save_last`: that writes only when the best has changed.
        parser.add_lightning_class_args(Checkpoint, "last_checkpoint")
        parser.set_defaults(
            {
                "checkpoint.monitor": MONITOR,
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

    @property
    def skipped(self) -> dict[str, str]:
        """In the first process, path -> reason of each video that a prediction could not read."""
        return self._get(self.config_init, "predictions").skipped

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Parse, then settle which checkpoint is used: see `checkpoint_to_answer_with`; a training may have none.

        Raises:
            ValueError: there are no weights to answer with; or checkpoints are switched off.
            WeightsError: the checkpoint cannot be used.
        """
        super().parse_arguments(parser, nested_words(map(renewed, args)))
        command = self.config.subcommand
        config = self.config[command]
        if config.trainer.enable_checkpointing is False:
            raise Mistake(
                "trainer.enable_checkpointing=false is not supported; leave it out, and to write no checkpoints set "
                "checkpoint.save_top_k and last_checkpoint.save_top_k to 0"
            )
        if command != "fit":
            files = [str(file) for file in config.config or []]
            config.ckpt_path = checkpoint_to_answer_with(
                args, files, config.ckpt_path, self._task(config).get("weights")
            )
        if config.ckpt_path:
            check_checkpoint(str(config.ckpt_path))

    def before_instantiate_classes(self) -> None:
        """A checkpoint holds all weights: those that the training started from need not be there any more."""
        config = self.config[self.subcommand]
        if config.ckpt_path and "weights" in self._task(config):
            self._task(config)["weights"] = None

    def instantiate_classes(self) -> None:
        """Builds task, data and trainer. What the parser wraps into an error of its own, a task's refusal is."""
        try:
            super().instantiate_classes()
        except ValueError as error:
            if isinstance(error.__cause__, Mistake):
                raise error.__cause__ from None
            raise

    def _task(self, config: Any) -> Any:
        """The arguments of the task."""
        return config.model.init_args if self.subclass_mode_model else config.model

    def instantiate_trainer(self, **kwargs: Any) -> pl.Trainer:
        """The trainer, with loggers that write into this run's folder unless the configuration names others."""
        root = self._get(self.config_init, "trainer.default_root_dir")
        callbacks = self._get(self.config_init, "trainer.callbacks") or []
        callbacks = callbacks if isinstance(callbacks, list) else [callbacks]
        if self._get(self.config_init, "trainer.enable_progress_bar") is not False:
            callbacks = [*callbacks, ProgressBar(refresh_rate=10)]
        if self.subcommand == "fit" and self._get(self.config_init, "trainer.enable_model_summary") is not False:
            callbacks = [*callbacks, Summary()]
        kwargs["enable_model_summary"] = False  # Lightning's own
        kwargs["callbacks"] = callbacks
        if self._get(self.config_init, "trainer.logger") in (None, True):
            run, is_ours = next_run(Path(root), "run" if self.subcommand == "fit" else str(self.subcommand))
            self.run_folder = Path(root) / run if is_ours else None
            kwargs["logger"] = [
                RunCSV(root, name="", version=run),
                RunEvents(root, name="", version=run),
            ]
        return super().instantiate_trainer(**kwargs)

    def before_fit(self) -> None:
        """Look at the list of the test now: a mistake in it would show only when the training has ended.

        Raises:
            ValueError: it has no labels, or cannot be read.
        """
        data = self.datamodule
        if self._tests_after_fit and self.model.needs_labels and data.make is None:  # it is yet to be written
            check_labelled(data, "test")

    def before_validate(self) -> None:
        """Refuse a task that is not validated, and count the labels as the checkpoint does."""
        self._check_step("validation_step")
        self._count_as_checkpoint("val")

    def before_test(self) -> None:
        """Refuse a task that is not tested, and count the labels as the checkpoint does."""
        self._check_step("test_step")
        self._count_as_checkpoint("test")

    def before_predict(self) -> None:
        """Refuse a task that answers nothing."""
        self._check_step("predict_step")

    def _check_step(self, step: str) -> None:
        """
        Raises:
            ValueError: the task does not have this step.
        """
        if not is_overridden(step, self.model):
            instead = self.model.instead.get(step)
            advice = f"; {instead}" if instead else ""
            raise Mistake(f"{type(self.model).__name__} has no {step}; vidattn {self.subcommand} is not for it{advice}")

    def _count_as_checkpoint(self, split: Split) -> None:
        checkpoint = self._get(self.config_init, "ckpt_path")
        names = names_in_checkpoint(str(checkpoint)) if checkpoint else self.model.class_names
        if self.model.needs_labels and self.datamodule.make is None:  # whose names are the run's
            count_as_checkpoint(self.datamodule, split, names, rank_zero_warn)

    @property
    def _tests_after_fit(self) -> bool:
        asked = self._get(self.config_init, "test_after_fit") and self.datamodule.sources["test"]
        return bool(asked) and is_overridden("test_step", self.model)

    def after_fit(self) -> None:
        """Test the best weights of the run that has just ended; the last where nothing was validated."""
        if not self._tests_after_fit:
            return
        callbacks: list[pl.Callback] = self.trainer.callbacks  # type: ignore[attr-defined]
        for callback in [one for one in callbacks if isinstance(one, WeightAveraging)]:
            callbacks.remove(callback)  # on loading it would put the weights of the last step back for the average
        kept = [one.best_model_path for one in callbacks if isinstance(one, ModelCheckpoint)]
        best = self.trainer.checkpoint_callback.best_model_path  # type: ignore[union-attr]
        # The best of a resumed run's past may have been deleted since.
        there = [path for path in (best, *kept) if path and ("://" in path or os.path.exists(path))]
        self.trainer.test(self.model, self.datamodule, ckpt_path=next(iter(there), None), verbose=False)


def fit(words: list[str]) -> None:
    """`vidattn fit`, with the words behind it."""
    _run("fit", words, "; go on with --ckpt_path RUN/checkpoints/last.ckpt, if there is one by now")


def validate(words: list[str]) -> None:
    """`vidattn validate`, likewise."""
    _run("validate", words)


def test(words: list[str]) -> None:
    """`vidattn test`, likewise."""
    _run("test", words)


def predict(words: list[str]) -> None:
    """`vidattn predict`, likewise."""
    _run("predict", words)


def _run(command: str, words: list[str], go_on: str = "") -> None:
    """Train, evaluate or predict. Leaves with status 1 where a prediction could not read some of the videos, or a data
    worker was killed, and with 128 and the signal's number where the run was ended from outside."""
    try:
        cli = TrainerCLI([command, *words])
    except SIGTERMException:
        print(f"vidattn: terminated{go_on}", file=sys.stderr)
        sys.exit(128 + signal.SIGTERM)  # Lightning's says 0, as if the run had come to its end
    except (KeyboardInterrupt, SystemExit) as end:
        # Lightning makes an exit of the interrupt, with code 1 and nothing said.
        if not isinstance(end, KeyboardInterrupt) and not isinstance(end.__context__, KeyboardInterrupt):
            raise
        print(f"vidattn: interrupted{go_on}", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)
    except RuntimeError as error:
        if str(error).startswith("Too many open files"):  # torch's words, where the training itself meets the limit
            raise Mistake(
                "too many open files, which what data workers hand on needs; allow more of them (ulimit -n 4096), or "
                "set data.num_workers lower (data.num_workers=0 needs none)"
            ) from error
        # Torch's words, by how it came to know of it. A mistake within a worker has others.
        killed = r"DataLoader worker .*(killed by signal|exited unexpectedly)"
        if not re.match(killed, str(error)):
            raise
        print(
            f"vidattn: a data worker was killed ({error}). The memory may have been short (of a container, the shared "
            "one: docker run --shm-size=8g): set data.num_workers or data.batch_size lower, and "
            "go on with --ckpt_path RUN/checkpoints/last.ckpt",
            file=sys.stderr,
        )
        sys.exit(1)
    if cli.skipped and cli.trainer.is_global_zero:
        sys.exit(1)
