"""Sharing the cores of a machine without an accelerator between the network and the processes that decode."""

import os

import pytorch_lightning as pl
import torch


class CoresForDecoding(pl.Callback):
    """On CPU, leaves a core to each data worker: the network's threads take the others, and at least one.

    PyTorch takes all cores by itself. Its threads then wait for one another, awake, on cores that the workers need:
    on 2 cores with one worker, an epoch of configs/motion_divided.yaml took 58 s that way and 28 s with one thread.
    Fewer threads than that stay as they are (`OMP_NUM_THREADS`, `torch.set_num_threads`).
    """

    def __init__(self) -> None:
        super().__init__()
        self._before: int | None = None

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Take threads away."""
        if trainer.strategy.root_device.type != "cpu" or self._before is not None:
            return
        self._before = torch.get_num_threads()
        workers = getattr(getattr(getattr(trainer, "datamodule", None), "loading", None), "num_workers", 0)
        torch.set_num_threads(min(self._before, max(1, usable_cores() // trainer.num_devices - workers)))

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Give them back."""
        if self._before is not None:
            torch.set_num_threads(self._before)
            self._before = None


def usable_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
