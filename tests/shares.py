"""How two processes of xdist share the tests: a file is one's, so that what its tests share is made once.

Files that take longest begin, so that at the end neither process waits for the other.
"""

import gc
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import forked
import pytest

TESTS = Path(__file__).parent
LONGEST = [
    "training/test_processes.py",
    "test_notebooks.py",
    "test_quality.py",
    "commands/test_trainer.py",
    "models/test_export.py",
    "attention/test_contract.py",
    "attention/image/test_contract.py",
    "training/test_pre_training.py",
    "training/test_resume.py",
    "training/test_unbreakable.py",
    "explain/test_explanation.py",
    "models/test_networks.py",
]
TOGETHER = dict.fromkeys(
    ["test_explanation.py", "test_temporal_probe.py"], "motion_run.py"
)  # both need the network of `motion_run.trained`
SHARE_NOTHING = ["test_notebooks.py", "test_quality.py"]  # each of their tests is a piece of work


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first; all else stays as it is."""
    rank = {TESTS / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """What hands out whole files, in their order."""
    from xdist.scheduler import LoadFileScheduling

    class InOrder(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            name = Path(file).name
            return nodeid if name in SHARE_NOTHING else TOGETHER.get(name, file)

    config.option.loadscopereorder = False
    return InOrder(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(specs: list[Any]) -> None:
    """Fork the processes off from the nursery, which has imported what each of them would; not where there is a GPU,
    whose driver does not work in a fork once a library has looked for it."""
    if Path("/dev/nvidia0").exists():
        return
    os.environ[forked.OWNER] = str(os.getpid())
    for spec in specs:
        spec.python = spec.python or shlex.join([sys.executable, forked.__file__])


def pytest_collection_finish() -> None:
    """What is there by now stays: no test's garbage is looked for in it."""
    gc.freeze()
