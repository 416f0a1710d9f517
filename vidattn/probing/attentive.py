"""Attentive probes: a small transformer on all tokens of a frozen network, for each setting of a grid."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidattn.checks import check_positive
from vidattn.models.attentive_probe import AttentiveProbe
from vidattn.models.readout import ReadOut
from vidattn.probing.linear import GRID, Setting, check_settings
from vidattn.probing.rows import LabelledRows


@dataclass(frozen=True)
class AttentiveProbes:
    """Read-outs with a layer behind them, by AdamW on the same batches; half a cosine to 0, no warm-up, and decay on
    all parameters, as V-JEPA 2 is evaluated (https://arxiv.org/abs/2506.09985).

    All start from the same weights. Features are tokens, normed: `(V, S, D)` of each video.

    Args:
        settings: of the grid; each costs as much as the first.
        epochs: passes over the videos.
        batch_size: videos in a step.
        readout: makes one vector of the tokens.

    Raises:
        ValueError: there is no setting, or a number is out of range.
    """

    settings: Sequence[Setting] = GRID
    epochs: int = 20
    batch_size: int = 16
    readout: type[ReadOut] = AttentiveProbe

    def __post_init__(self) -> None:
        check_positive(epochs=self.epochs, batch_size=self.batch_size)
        check_settings(self.settings)

    def fit(self, rows: LabelledRows, num_classes: int, seed: int = 0) -> "FittedAttentive":
        """Train all settings."""
        generator = torch.Generator().manual_seed(seed)
        probes = [self._probe(rows.width, num_classes, seed) for _ in self.settings]
        optimizer = torch.optim.AdamW(
            {"params": probe.parameters(), "lr": setting.lr, "weight_decay": setting.weight_decay}
            for probe, setting in zip(probes, self.settings, strict=True)
        )
        steps = self.epochs * math.ceil(len(rows) / self.batch_size)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: (1 + math.cos(math.pi * step / steps)) / 2)
        for _ in range(self.epochs):
            for batch in torch.randperm(len(rows), generator=generator).split(self.batch_size):
                x, labels = rows.draw(batch.tolist(), generator), rows.labels[batch]
                for probe in probes:
                    F.cross_entropy(probe(x), labels).backward()
                optimizer.step()
                optimizer.zero_grad()
                schedule.step()
        return FittedAttentive([probe.eval() for probe in probes])

    def _probe(self, width: int, num_classes: int, seed: int) -> nn.Sequential:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return nn.Sequential(self.readout(width), nn.Linear(width, num_classes)).train()


@dataclass(frozen=True, eq=False)
class FittedAttentive:
    """Trained probes: each a read-out and a layer."""

    probes: Sequence[nn.Sequential]

    @torch.no_grad()
    def probabilities(self, rows: LabelledRows) -> Tensor:
        """`(P, N, K)`, the mean over the views of each video."""
        each = [[probe(views.float()).softmax(-1).mean(0) for views in rows.views] for probe in self.probes]
        return torch.stack([torch.stack(videos) for videos in each])
