"""Means over all clips that are evaluated, on however many processes."""

from collections.abc import Sequence

import pytorch_lightning as pl
import torch
from torch import Tensor
from torchmetrics import Metric


class Means(Metric):
    """The mean of each of some numbers over all clips; processes count together, also one that has seen none.

    A process all of whose videos were skipped logs nothing batch by batch, and others would wait for it at the end of
    the epoch.

    Args:
        names: what is measured of each batch.
    """

    full_state_update = False
    totals: Tensor
    clips: Tensor

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.names = list(names)
        self.add_state("totals", torch.zeros(len(self.names)).double(), dist_reduce_fx="sum")
        self.add_state("clips", torch.zeros(()).double(), dist_reduce_fx="sum")

    def update(self, clips: int, values: Sequence[Tensor]) -> None:
        """Add a batch of so many clips: the mean of each number over them, in the order of the names. None of no clips.

        >>> means = Means(["loss"])
        >>> means.update(1, [torch.tensor(4.0)]), means.update(3, [torch.tensor(8.0)]), means.update(0, [])
        (None, None, None)
        >>> means.compute()
        {'loss': tensor(7.)}
        """
        if clips:
            self.totals += clips * torch.stack(list(values)).detach().double()
            self.clips += clips

    def compute(self) -> dict[str, Tensor]:
        """The means by name; none before a clip was seen by any process."""
        if not self.clips:
            return {}
        return dict(zip(self.names, (self.totals / self.clips).float(), strict=True))


def log_means(module: pl.LightningModule, split: str, means: Means, spread: Metric) -> None:
    """Log what an evaluation has found over all processes as `<split>/<name>`, and forget it.

    All processes must come here, with clips or none.

    Args:
        module: the task, at the end of the epoch.
        split: "val" or "test".
        means: of all clips.
        spread: logged as `<split>/spread`, where there were any.
    """
    found = means.compute()
    if found:
        found["spread"] = spread.compute()
    for name, value in found.items():
        # The same in all processes already; the mean over them keeps Lightning from warning that it may not be.
        module.log(f"{split}/{name}", value, sync_dist=True)
    means.reset()
    spread.reset()
