"""`vidattn fit | validate | test | predict`: Lightning's command line over our module and data."""

import os
import re
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

import pytorch_lightning as pl
import yaml
from jsonargparse import get_loader, set_loader
from pytorch_lightning.callbacks import ModelCheckpoint, TQDMProgressBar, WeightAveraging
from pytorch_lightning.cli import LightningArgumentParser, LightningCLI
from pytorch_lightning.loggers import CSVLogger, TensorBoardLogger
from pytorch_lightning.utilities.exceptions import SIGTERMException
from pytorch_lightning.utilities.model_helpers import is_overridden
from pytorch_lightning.utilities.rank_zero import rank_zero_info, rank_zero_warn

from vidattn.data.datamodule import VideoDataModule
from vidattn.data.flat_keys import key_meant, nested, nested_words
from vidattn.data.videos.splits import Split
from vidattn.mistakes import Mistake
from vidattn.models.config import VideoTransformerConfig
from vidattn.old_names import renewed
from vidattn.public import public_path
from vidattn.training import objective, schedule
from vidattn.training.checkpoint import MONITOR, Checkpoint
from vidattn.training.label_agreement import check_labelled, count_as_checkpoint, names_in_checkpoint
from vidattn.training.module import VideoModule
from vidattn.training.predictions import PredictionWriter
from vidattn.training.run_weights import best_beside, check_checkpoint, refuse_other_weights
from vidattn.training.scorecard import Scorecard
from vidattn.training.skipped import SkippedVideos
from vidattn.training.summary import Summary
from vidattn.training.threads import CoresForDecoding
from vidattn.training.video_classifier import VideoClassifier

RUN_VARIABLE = "VIDATTN_RUN"  # the number of the run, for the processes that Lightning starts


TRANSFORMER = public_path(VideoTransformerConfig)


class ProgressBar(TQDMProgressBar):
    """Lightning's bar without the logger's version, which says nothing here."""

    def get_metrics(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> dict[str, Any]:
        """What stands behind the bar."""
        return {name: value for name, value in super().get_metrics(trainer, pl_module).items() if name != "v_num"}


_read_yaml = get_loader("yaml")
set_loader("yaml", lambda text: nested(_read_yaml(renewed(text))), exceptions=(yaml.YAMLError,))


class Parser(LightningArgumentParser):
    """Lightning's, but arguments that are wrong are a `ValueError` like any other mistake, without screens of usage,
    and one that is cut short is wrong: `TrainerCLI` looks for some by their names."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, allow_abbrev=False, **kwargs)

    def dump(self, *args: Any, **kwargs: Any) -> str:
        """The configuration as text; a video transformer's fields stand directly below `network`, as by hand."""
        text = super().dump(*args, **kwargs)
        values = yaml.safe_load(text)
        model = values.get("model") if isinstance(values, dict) else None
        task = model.get("init_args", model) if isinstance(model, dict) else {}
        network = task.get("network")
        if not (isinstance(network, dict) and network.get("class_path") == TRANSFORMER):
            return text
        task["network"] = network.get("init_args", {})
        return yaml.safe_dump(values, allow_unicode=True, sort_keys=False, width=float("inf"))

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Raises:
        ValueError: where Lightning's would print the usage and exit.
        """
        if not self.exit_on_error:
            super().error(message, ex)
        raise Mistake(message + class_meant(message) + key_meant(message)) from ex


def class_meant(message: str) -> str:
    """What to add to a message of jsonargparse's about a misspelt class of ours.

    >>> class_meant("Expected a dot import path string: WarmupCosin")
    '; did you mean WarmupCosine?'
    >>> class_meant("unrecognized arguments: --model.shedule")
    ''
    """
    known = [name for room in (objective, schedule) for name, value in vars(room).items() if isinstance(value, type)]
    written = re.search(r"(?:Expected a dot import path string: |has no attribute ')(\w+)(?:'.*)?$", message)
    near = get_close_matches(written[1], known, n=1) if written else []
    return f"; did you mean {near[0]}?" if near else ""


class TrainerCLI(LightningCLI):
    """Every key of a YAML is an argument of a constructor: `trainer`, `model` (`VideoClassifier`, or any other task by
    `class_path` and `init_args`), `data` (`VideoDataModule`), `checkpoint` and `last_checkpoint` (`ModelCheckpoint`:
    what is kept as the best, and how often the last is written, to resume from) and `predictions` (`PredictionWriter`).

    Each run gets a folder of its own under `trainer.default_root_dir`, `run_<n>` (or `test_<n>`, `predict_<n>`), with
    `config.yaml`, `metrics.csv`, TensorBoard events, `checkpoints/best.ckpt` and `last.ckpt`, and what the test leaves.
    It is removed where the run fails before anything came of it.

    Args:
        args: command and options.
        callbacks: further ones for the trainer.

    Raises:
        ValueError: arguments are wrong, or there are no weights to answer with.
        SIGTERMException: the process was asked to end (SIGTERM), also where that ended its data workers first.
    """

    def __init__(self, args: list[str], callbacks: Sequence[pl.Callback] = ()) -> None:
        self.run_folder: Path | None = None  # where this process has made it
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
        """Parse, then settle which checkpoint is used.

        Only a training may start from nothing. The other commands take, first of all, what stands on the command line,
        then the best checkpoint of the run whose `config.yaml` is given (whatever that run itself started from), then,
        where that is of no run, `ckpt_path` or `model.weights` of the configuration.

        Raises:
            ValueError: there is neither; or checkpoints are switched off.
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
            options = {word.partition("=")[0] for word in args}
            if "--ckpt_path" not in options:
                if options & {"--model.weights", "--model.init_args.weights"}:
                    config.ckpt_path = None
                elif best := best_beside(map(str, config.config or [])):
                    config.ckpt_path = str(best)
                    rank_zero_info(f"Weights: {best}, the best of the run whose configuration this is")
                else:
                    refuse_other_weights(map(str, config.config or []))
                    if named := config.ckpt_path or self._task(config).get("weights"):
                        rank_zero_info(f"Weights: {named}, which the configuration names")
            if not config.ckpt_path and not self._task(config).get("weights"):
                raise Mistake(
                    "there are no weights to answer with; give --ckpt_path RUN/checkpoints/best.ckpt (or --config "
                    "RUN/config.yaml of a run that has it), or --model.weights for weights from elsewhere"
                )
        if config.ckpt_path:
            check_checkpoint(str(config.ckpt_path))

    def before_instantiate_classes(self) -> None:
        """A checkpoint holds all weights: those that the training started from need not be there any more."""
        config = self.config[self.subcommand]
        if config.ckpt_path and "weights" in self._task(config):
            self._task(config)["weights"] = None

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
        kwargs["callbacks"] = callbacks
        if self._get(self.config_init, "trainer.logger") in (None, True):
            run, is_ours = next_run(Path(root), "run" if self.subcommand == "fit" else str(self.subcommand))
            self.run_folder = Path(root) / run if is_ours else None
            kwargs["logger"] = [
                CSVLogger(root, name="", version=run),
                TensorBoardLogger(root, name="", version=run),
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
            raise Mistake(f"{type(self.model).__name__} has no {step}; vidattn {self.subcommand} is not for it")

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


def names_task(words: Sequence[str]) -> bool:
    """Whether the arguments, or a configuration that they name, say by its class which task the model is.

    >>> names_task(["fit", "--model", "my_package.MyTask"]), names_task(["fit", "--model.network.depth", "2"])
    (True, False)
    """
    for option, value in given(words):
        if option == "--model.class_path" or (option == "--model" and is_class(value)):
            return True
        if option in ("--config", "-c") and is_class((read_yaml(value) or {}).get("model")):
            return True
    return False


def given(words: Sequence[str]) -> list[tuple[str, str]]:
    """Options and what is said of them, written as two words or as one."""
    pairs = [(option, value) for option, _, value in (word.partition("=") for word in words) if value]
    return [*pairwise(words), *pairs]


def is_class(model: Any) -> bool:
    """Whether what stands for the model names its class: by itself, in a mapping, or in a file of one."""
    if isinstance(model, str):
        within = read_yaml(model)
        return "class_path" in within if within is not None else True
    return isinstance(model, Mapping) and "class_path" in model


def read_yaml(text: str) -> Mapping[str, Any] | None:
    """A mapping out of a file, or out of the text itself; None where it is none, which the parser then says."""
    try:
        values = yaml.safe_load(Path(text).read_text() if os.path.isfile(text) else text)
    except (OSError, ValueError, yaml.YAMLError):
        return None
    return values if isinstance(values, Mapping) else None


def remove_if_nothing_came(folder: Path) -> None:
    """Remove the folder of a failed run that holds no more than its configuration and the heads of its logs."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    if all(path.name in ("config.yaml", "hparams.yaml") or "tfevents" in path.name for path in files):
        shutil.rmtree(folder, ignore_errors=True)


def next_run(root: Path, kind: str) -> tuple[str, bool]:
    """`<kind>_<n>` with the first n above all folders of that kind in `root`, the same for all processes of a run; and
    whether this process has made the folder.

    Two runs that start together do not get the same one. Processes that something else starts side by side (torchrun,
    SLURM) make none: they must come to the same number by themselves.

    Raises:
        ValueError: the folder cannot be made.
    """
    if RUN_VARIABLE in os.environ:
        return os.environ[RUN_VARIABLE], False
    numbers = [path.name.removeprefix(f"{kind}_") for path in root.glob(f"{kind}_*")]
    number = max((int(n) for n in numbers if n.isdigit()), default=-1) + 1
    makes = "RANK" not in os.environ and "SLURM_PROCID" not in os.environ
    while makes:
        try:
            (root / f"{kind}_{number}").mkdir(parents=True)
            break
        except FileExistsError:
            number += 1
        except OSError as error:
            raise Mistake(
                f"trainer.default_root_dir={root}: cannot make a folder there ({error.strerror}); give another"
            ) from error
    os.environ[RUN_VARIABLE] = f"{kind}_{number}"
    return os.environ[RUN_VARIABLE], makes


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
        # Torch's words, by how it came to know of it. A mistake within a worker has others.
        killed = r"DataLoader worker .*(killed by signal|exited unexpectedly)"
        if not re.match(killed, str(error)):
            raise
        print(
            f"vidattn: a data worker was killed ({error}). The memory may have been short: set data.num_workers or "
            "data.batch_size lower, and go on with --ckpt_path RUN/checkpoints/last.ckpt",
            file=sys.stderr,
        )
        sys.exit(1)
    if cli.skipped and cli.trainer.is_global_zero:
        sys.exit(1)
