"""`vidattn study`: schemes under one recipe and several seeds; accuracy with its spread beside cost."""

import argparse
import logging
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities.exceptions import SIGTERMException
from rich.markup import escape
from rich.progress import Progress, TaskID

from vidattn.checks import check_positive
from vidattn.commands.options import Parser
from vidattn.commands.study_plan import Run, plan
from vidattn.commands.study_report import write_report
from vidattn.console import plain_console


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
