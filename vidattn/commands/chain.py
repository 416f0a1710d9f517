"""`vidattn chain`: one training after another, each from the weights of the one before, over several seeds."""

import argparse
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
import yaml
from pytorch_lightning.utilities.exceptions import SIGTERMException
from rich.markup import escape
from rich.progress import Progress

from vidattn.checks import check_positive
from vidattn.commands.chain_report import answers_in, write_report
from vidattn.commands.options import Parser
from vidattn.commands.study import Ticker, silence
from vidattn.commands.training_folder import TrainingFolder, scorecard
from vidattn.comparison.source import read_run, task_arguments
from vidattn.console import plain_console
from vidattn.mistakes import Mistake
from vidattn.wording import did_you_mean


@dataclass(frozen=True)
class Stage(TrainingFolder):
    """One training of a chain, for one seed, in a folder of its own.

    Args:
        name: those of the configurations up to this one, joined by `+`.
        seed: of weights, order and augmentation.
        before: the stage whose weights it starts from; None for the first.
    """

    name: str
    seed: int
    before: "Stage | None" = None

    @property
    def weights(self) -> Path:
        """The run that has come to its end."""
        assert self.result is not None
        return self.folder / self.result["run"]

    def train(self, callback: pl.Callback) -> None:
        """Fit, from the last checkpoint if there is one; then test, where a test is set. Leaves as `result` the name of
        the run, and the scorecard where there is one."""
        words = []
        if self.before is not None:
            key = "model.init_args.weights" if "class_path" in self.values["model"] else "model.weights"
            words = [f"--{key}", str(self.before.weights)]
        run = self.fit(callback, *words)
        self.finish({"run": run.name, **scorecard(run)})


def plan(
    configs: Sequence[str | Path], seeds: Sequence[int], folder: str | Path, changes: Sequence[str] = ()
) -> list[Stage]:
    """All trainings of a chain, seed by seed. A training that begins several chains is done once: it has one folder,
    `<config>/seed_<n>`, and that of the next is `<config>+<config>/seed_<n>`.

    Args:
        configs: configurations of `vidattn fit`, in their order.
        seeds: the chain is gone through for each.
        folder: where all of it goes.
        changes: `key=value`, written over each configuration that has the key.

    Raises:
        ValueError: a configuration is wrong, names weights where it gets them from the one before, two have one name, a
            seed is given twice, a change changes nothing, or a folder holds another run.
        OSError: a configuration cannot be read.
    """
    names = [Path(path).stem for path in configs]
    for kind, given in (("seed", [*map(str, seeds)]), ("configuration", names)):
        if again := [one for one in given if given.count(one) > 1]:
            raise Mistake(f"{kind} {again[0]} is given {given.count(again[0])} times; give it once")
    bases = [read_run(Path(path))[1] for path in configs]
    for change in changes:
        apply(change, bases)
    for path, base in list(zip(configs, bases, strict=True))[1:]:
        if weights := task_arguments(base["model"]).get("weights"):
            raise Mistake(f"{path}: model.weights={weights}, but it starts from the training before; leave that out")
    stages: list[Stage] = []
    for seed in seeds:
        before: Stage | None = None
        for number, base in enumerate(bases):
            name = "+".join(names[: number + 1])
            where = Path(folder) / name / f"seed_{seed}"
            before = Stage(where, _complete(base, seed, where), name, seed, before)
            before.check()
            stages.append(before)
    return stages


def apply(change: str, bases: Sequence[dict[str, Any]]) -> None:
    """Write a value over every configuration that has the key.

    Raises:
        ValueError: it is no `key=value`, or no configuration has the key.
    """
    key, sign, text = change.partition("=")
    *path, last = key.split(".")
    if not sign or not last:
        raise Mistake(f"--set {change}: wanted key=value, such as data.lists.train=other.csv")
    holders = [holder for base in bases if last in (holder := _within(base, path))]
    if not holders:
        raise Mistake(f"--set {change}: none of the configurations has {key}")
    for holder in holders:
        holder[last] = yaml.safe_load(text)


def _within(values: Any, path: Sequence[str]) -> dict[str, Any]:
    for key in path:
        values = values.get(key) if isinstance(values, Mapping) else None
    return values if isinstance(values, dict) else {}


def _complete(base: dict[str, Any], seed: int, where: Path) -> dict[str, Any]:
    """The configuration of one seed."""
    trainer = (base.get("trainer") or {}) | {
        "default_root_dir": str(where),
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    return base | {"seed_everything": seed, "trainer": trainer}


def train_all(stages: Sequence[Stage], folder: Path, against: str | None = None) -> list[Stage]:
    """Do what is left, and write the report after each; returns what failed, or could not begin for what failed."""
    console = plain_console(sys.stdout)
    left = [stage for stage in stages if stage.result is None]
    failed: list[Stage] = []
    with Progress(console=console, redirect_stdout=False, redirect_stderr=False) as progress:
        for number, stage in enumerate(left, 1):
            if stage.before in failed:
                failed.append(stage)
                continue
            began = time.perf_counter()
            label = f"{stage.name} seed {stage.seed}"
            task = progress.add_task(escape(label))
            try:
                stage.train(Ticker(progress, task))
                top1 = (stage.result or {}).get("video_top1")
                outcome = "done" if top1 is None else f"{top1:.1%}"
            except Exception as error:  # of whatever kind: other seeds do not depend on it
                failed.append(stage)
                outcome = f"failed: {error} (see {stage.folder}/log.txt)"
            progress.remove_task(task)
            console.print(
                f"{number} of {len(left)}  {label}: {outcome}  in {(time.perf_counter() - began) / 60:.1f} min"
            )
            write_report(folder, against)
    return failed


def chain(words: list[str]) -> None:
    """`vidattn chain`, with the words behind it."""
    parser = Parser(
        prog="vidattn chain",
        description="Train in stages, each from the weights of the one before (pre-train, then fine-tune), over "
        "several seeds. A stage that other chains begin with too is trained once; the same command goes on where it "
        "was broken off. Reports top-1 of all chains in the folder; with --against, the difference to one of them, "
        "paired over test videos and seeds, with its 95% interval.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("config", nargs="*", help="configurations of vidattn fit in their order; none only reports")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="the chain is gone through for each")
    parser.add_argument(
        "--set", nargs="+", default=[], metavar="KEY=VALUE", help="written over the configurations that have the key"
    )
    parser.add_argument(
        "--against", metavar="CHAIN", help="the chain that the others are compared with, such as scratch"
    )
    parser.add_argument("--out", default="outputs/chains", metavar="FOLDER", help="where trainings and report go")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    options = parser.parse_args(words)
    check_positive(threads=options.threads)
    folder = Path(options.out)
    stages = plan(options.config, options.seeds, folder, options.set)
    known = {stage.name for stage in stages} | {row["chain"] for row in answers_in(folder)}
    if options.against is not None and options.against not in known:
        raise Mistake(f"--against {options.against}: no such chain was tested{did_you_mean(options.against, known)}")
    torch.set_num_threads(options.threads)
    try:
        with silence():
            failed = train_all(stages, folder, options.against)
    except SIGTERMException:
        sys.exit(128 + signal.SIGTERM)  # Lightning's says 0, as if all had come to its end
    if report := write_report(folder, options.against):
        print(report.read_text())
        print(f"wrote chains.md, .csv, .png and answers.csv into {folder}")
    else:
        print(f"{folder} holds no tested training yet")
    if failed:
        names = ", ".join(str(stage.folder) for stage in failed)
        sys.exit(f"{len(failed)} of {len(stages)} trainings failed: {names}; the same command goes on with them")
