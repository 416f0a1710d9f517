"""What a study trains: its runs, planned from configurations, schemes and seeds before the first begins."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytorch_lightning as pl

from vidattn.commands.training_folder import TrainingFolder, scorecard
from vidattn.comparison.distinct import check_distinct
from vidattn.comparison.source import read_run, schemed_of, task_arguments
from vidattn.mistakes import Mistake
from vidattn.models.presets import Schemed


@dataclass(frozen=True)
class Run(TrainingFolder):
    """One training of a study, in a folder of its own.

    Attributes:
        dataset: name of the set, from the name of its configuration.
        attention: the scheme.
        seed: of weights, order and augmentation; the videos are the same for all seeds.
    """

    dataset: str
    attention: str
    seed: int

    def train(self, callback: pl.Callback) -> None:
        """Fit, from the last checkpoint if there is one, then test; leaves the scorecard as `result`.

        Raises:
            ValueError: the test has no top-1.
        """
        run = self.fit(callback)
        card = scorecard(run)
        if card.get("video_top1") is None:  # none was decoded, or an objective of the user's
            raise Mistake(f"{run}/scorecard.json has no video_top1, which is what a study compares")
        self.finish(card)


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
                written = task["network"]
                inner = {"init_args": (written.get("init_args") or {}) | {"attention": scheme}}
                task = task | {"network": written | (inner if "class_path" in written else {"attention": scheme})}
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
                runs.append(Run(where, values, name, scheme, seed))
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
