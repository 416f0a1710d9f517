"""The folders that runs write into: `run_<n>`, `test_<n>` and so on, one for each."""

import os
import shutil
from pathlib import Path

from vidattn.mistakes import Mistake

RUN_VARIABLE = "VIDATTN_RUN"  # the number of the run, for the processes that Lightning starts


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


def remove_if_nothing_came(folder: Path) -> None:
    """Remove the folder of a failed run that holds no more than its configuration and the heads of its logs."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    if all(path.name in ("config.yaml", "hparams.yaml") or "tfevents" in path.name for path in files):
        shutil.rmtree(folder, ignore_errors=True)
