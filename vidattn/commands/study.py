"""`vidattn study`: schemes under one recipe and several seeds; accuracy with its spread beside cost."""

import argparse
import json
import logging
import signal
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytorch_lightning as pl
import torch
import yaml
from pytorch_lightning.utilities.exceptions import SIGTERMException
from rich.markup import escape
from rich.progress import Progress, TaskID

from vidattn.checks import check_positive
from vidattn.commands.options import Parser
from vidattn.commands.study_report import write_report
from vidattn.commands.trainer import TrainerCLI
from vidattn.comparison.distinct import check_distinct
from vidattn.comparison.source import read_run, schemed_of, task_arguments
from vidattn.console import plain_console
from vidattn.data.flat_keys import nested
from vidattn.mistakes import Mistake
from vidattn.models.presets import Schemed
from vidattn.old_names import renewed


@dataclass(frozen=True)
class Run:
    """One training of a study, in a folder of its own.

    Attributes:
        dataset: name of the set, from the name of its configuration.
        attention: the scheme.
        seed: of weights, order and augmentation; the videos are the same for all seeds.
        folder: where the run's configuration, checkpoints and result go.
        values: the complete configuration for `vidattn fit`.
    """

    dataset: str
    attention: str
    seed: int
    folder: Path
    values: dict[str, Any]

    @property
    def result(self) -> dict[str, Any] | None:
        """The scorecard of the finished run; None before."""
        path = self.folder / "result.json"
        return json.loads(path.read_text()) if path.exists() else None

    @property
    def last_checkpoint(self) -> Path | None:
        """The newest checkpoint of a run that was broken off; each further try has a `run_<n>` of its own."""
        found = self.folder.glob("run_*/checkpoints/last.ckpt")
        return max(found, key=lambda path: path.stat().st_mtime, default=None)

    def train(self, callback: pl.Callback) -> None:
        """Fit, from the last checkpoint if there is one, then test; leaves `result.json`.

        Raises:
            ValueError: the test has no top-1.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._config.write_text(yaml.safe_dump(self.values, sort_keys=False))
        words = ["fit", "--config", str(self._config)]
        if self.last_checkpoint:
            words += ["--ckpt_path", str(self.last_checkpoint)]
        with (self.folder / "log.txt").open("a") as log, redirect_stdout(log), redirect_stderr(log):
            try:
                TrainerCLI(words, [callback])
            except Exception:
                traceback.print_exc()  # into the log
                raise
        card = max(self.folder.glob("run_*/scorecard.json"), key=lambda path: path.stat().st_mtime)
        if json.loads(card.read_text()).get("video_top1") is None:  # none was decoded, or an objective of the user's
            raise Mistake(f"{card} has no video_top1, which is what a study compares")
        # Renamed when complete, so that a result that is there is whole.
        fresh = self.folder / "result.json.part"
        fresh.write_text(card.read_text())
        fresh.rename(self.folder / "result.json")

    def check(self) -> None:
        """Raise unless the folder is free or holds this very run; one that failed before its first checkpoint is free.

        Raises:
            ValueError: it holds a run with another configuration.
        """
        begun = self.result is not None or self.last_checkpoint is not None
        if begun and nested(yaml.safe_load(renewed(self._config.read_text()))) != self.values:
            raise Mistake(f"{self.folder} holds a run with other settings; choose another --out or delete it")

    @property
    def _config(self) -> Path:
        return self.folder / "config.yaml"


def plan(
    configs: Sequence[str | Path],
    attention: Sequence[str],
    seeds: Sequence[int],
    folder: str | Path,
    epochs: int | None = None,
) -> list[Run]:
    """All runs of a study, seed by seed, so that one that is broken off still compares all schemes.

    Args:
        configs: configurations of `vidattn fit`, one for each set; only scheme, seed, epochs and folder change.
        attention: schemes.
        seeds: one run each.
        folder: where the runs' folders go, `<set>/<scheme>/seed_<n>`.
        epochs: length of every run; by default what the configuration says.

    Raises:
        ValueError: a scheme is wrong, a scheme or seed is given twice (its runs would count as several), two sets have
            one name, a configuration is wrong or would end without a test's top-1, or a folder holds another run.
        OSError: a configuration is missing or cannot be read.
    """
    for seed in seeds:
        if seeds.count(seed) > 1:
            raise Mistake(f"seed {seed} is given {seeds.count(seed)} times; its runs would be the same: give it once")
    check_distinct(attention)
    bases: dict[str, dict[str, Any]] = {}
    networks: dict[str, Schemed] = {}
    for path in map(Path, configs):
        name = path.stem.rpartition("_")[0] or path.stem  # configs/motion_divided.yaml: motion
        if name in bases:
            raise Mistake(f"{path}: a second configuration for {name!r}; give one for each set")
        if not path.exists():
            raise Mistake(f"{path} does not exist; give a configuration of vidattn fit with --config")
        network, bases[name] = read_run(path)
        networks[name] = schemed_of(network, path)
        _check_tests(path, bases[name])
    runs = []
    for seed in seeds:
        for name, base in bases.items():
            for scheme in attention:
                task = task_arguments(base["model"])
                network = task["network"]
                inner = {"init_args": (network.get("init_args") or {}) | {"attention": scheme}}
                changed = inner if "class_path" in network else {"attention": scheme}
                task = task | {"network": network | changed}
                replace(networks[name], attention=scheme)  # says now what is wrong with it
                where = Path(folder) / name / quote(scheme, safe="+,()") / f"seed_{seed}"
                trainer = (base.get("trainer") or {}) | {
                    "default_root_dir": str(where),
                    "enable_progress_bar": False,
                    "enable_model_summary": False,
                }
                if epochs is not None:
                    trainer["max_epochs"] = epochs
                model = base["model"] | {"init_args": task} if "class_path" in base["model"] else task
                values = base | {"seed_everything": seed, "trainer": trainer, "model": model}
                runs.append(Run(name, scheme, seed, where, values))
    for run in runs:
        run.check()
    return runs


def _check_tests(path: Path, base: dict[str, Any]) -> None:
    """
    Raises:
        ValueError: runs of this configuration would end without the top-1 of a test, which is what a study compares.
    """
    data = base.get("data") or {}
    if not (data.get("lists") or {}).get("test") and not data.get("make"):
        raise Mistake(f"{path}: has no test split, and a study compares accuracy in the test; set data.test")
    if base.get("test_after_fit") is False:
        raise Mistake(f"{path}: test_after_fit is false, and a study compares accuracy in the test; set it to true")
    objective = task_arguments(base["model"]).get("objective") or "OneLabel"
    written = str(objective.get("class_path") if isinstance(objective, dict) else objective)
    if "video_top1" not in scores_of(written):
        raise Mistake(
            f"{path}: model.objective={written} has no top-1, which is what a study compares; train each scheme with "
            "vidattn fit, or set vidattn.training.OneLabel on lists with one label a video"
        )


def scores_of(objective: str) -> Sequence[str]:
    """What an objective measures, by its import path or the name of one of ours. Where there is none such, top-1: that
    there is none is said when the run is begun.

    >>> scores_of("MultiLabel")
    ('loss', 'mAP', 'num_videos', 'num_classes_scored')
    """
    room, _, name = objective.rpartition(".")
    try:
        return getattr(import_module(room or "vidattn.training"), name).scores
    except (ImportError, AttributeError):
        return ("video_top1",)


def train_all(runs: Sequence[Run], folder: str | Path) -> list[Run]:
    """Do what is left of the runs and write the report after each; returns those that failed.

    A failed or killed run goes on from its last checkpoint the next time, a done one is not repeated.
    """
    console = plain_console(sys.stdout)
    left = [run for run in runs if run.result is None]
    failed, seconds = [], []
    with Progress(console=console, redirect_stdout=False, redirect_stderr=False) as progress:
        for number, run in enumerate(left, 1):
            began = time.perf_counter()
            label = f"{run.dataset} {run.attention} seed {run.seed}"
            task = progress.add_task(escape(label))
            try:
                run.train(Ticker(progress, task))
            except Exception as error:  # of whatever kind: the other runs do not depend on it
                failed.append(run)
                outcome = f"failed: {error} (see {run.folder}/log.txt)"
            else:
                assert run.result is not None
                outcome = f"{run.result['video_top1']:.1%}"
            progress.remove_task(task)
            seconds.append(time.perf_counter() - began)
            minutes = sum(seconds) / len(seconds) * (len(left) - number) / 60
            console.print(
                f"{number} of {len(left)}  {label}: {outcome}  in {seconds[-1] / 60:.1f} min, "
                f"about {minutes:.0f} min left"
            )
            write_report(results(runs), folder)
    return failed


def results(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """A row for each finished run: set, scheme, seed, accuracy, cost."""
    rows = []
    for run in runs:
        if (card := run.result) is not None:
            kept = {name: card[name] for name in ("video_top1", "macs_per_clip", "parameters", "videos_evaluated")}
            classes = run.values["model"]["network"]["num_classes"]
            rows.append({"set": run.dataset, "attention": run.attention, "seed": run.seed, "classes": classes} | kept)
    return rows


class Ticker(pl.Callback):
    """Moves a bar of the study's progress with the steps of a run.

    Args:
        progress: the bars.
        task: the run's.
    """

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self.progress, self.task = progress, task

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """One step on."""
        total = int(trainer.num_training_batches) * (trainer.max_epochs or 1)
        self.progress.update(self.task, total=total, completed=trainer.global_step)


@contextmanager
def silence() -> Iterator[None]:
    """Lightning's greetings at the start of each run are left out."""
    loggers = [logging.getLogger(library) for library in ("pytorch_lightning", "lightning_fabric")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


def study(words: list[str]) -> None:
    """`vidattn study`, with the words behind it."""
    parser = Parser(
        prog="vidattn study",
        description="Train schemes under one recipe and several seeds; report accuracy with 95% t intervals over the "
        "seeds beside cost, as CSV, JSON, Markdown and a figure. The same command goes on where it was broken off.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("attention", nargs="*", default=["space", "divided", "joint"], help="schemes")
    parser.add_argument(
        "--config",
        nargs="+",
        default=["configs/motion_divided.yaml", "configs/appearance_divided.yaml"],
        help="configurations of vidattn fit, one for each set; only scheme, seed, epochs and folder are changed",
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="a run for each")
    parser.add_argument("--epochs", type=int, help="of every run; by default what the configuration says")
    parser.add_argument("--out", default="outputs/study", metavar="FOLDER", help="where runs and report go")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads; one is fastest for networks this small")
    options = parser.parse_args(words)
    check_positive(threads=options.threads, epochs=1 if options.epochs is None else options.epochs)
    runs = plan(options.config, options.attention, options.seeds, options.out, options.epochs)
    torch.set_num_threads(options.threads)
    try:
        with silence():
            failed = train_all(runs, options.out)
    except SIGTERMException:
        sys.exit(128 + signal.SIGTERM)  # Lightning's says 0, as if the study had come to its end
    if rows := results(runs):
        print(write_report(rows, options.out).read_text())
        print(f"wrote study.md, .csv, .json, .png and runs.csv into {options.out}")
    if failed:
        names = ", ".join(str(run.folder) for run in failed)
        sys.exit(f"{len(failed)} of {len(runs)} runs failed: {names}; the same command goes on with them")
