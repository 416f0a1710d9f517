"""A task of a user's own: does a clip run forward or backward? No labels are needed."""

from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from pytorch_lightning.cli import OptimizerCallable
from torch import Tensor

from vidattn import VideoModule, VideoTransformerConfig
from vidattn.training import Constant, Schedule


class Direction(VideoModule):
    """Shows each clip forward and backward, and learns to tell the two apart."""

    monitor, monitor_mode, scores = "val/right", "max", ("right", "loss")

    def __init__(
        self,
        network: VideoTransformerConfig,
        optimizer: OptimizerCallable = torch.optim.AdamW,
        schedule: Schedule = Constant(),  # noqa: B008
        weights: str | None = None,
    ) -> None:
        super().__init__(replace(network, num_classes=2), optimizer, schedule, weights=weights)

    def both_ways(self, batch: dict[str, Any]) -> tuple[Tensor, Tensor]:
        """Loss, and the share of clips that are told right."""
        clips = self.normalize(torch.cat((batch["video"], batch["video"].flip(2))))
        logits = self.network(clips).float()
        backward = torch.arange(2, device=clips.device).repeat_interleave(len(clips) // 2)
        return F.cross_entropy(logits, backward), (logits.argmax(1) == backward).float().mean()

    def training_step(self, batch: dict[str, Any], batch_idx: int) -> Tensor:
        loss, right = self.both_ways(batch)
        self.check_finite(loss, batch["path"])
        self.log_dict({"train/loss": loss, "train/right": right}, batch_size=len(batch["video"]), sync_dist=True)
        return loss

    def validation_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        loss, right = self.both_ways(batch)
        self.log_dict({"val/loss": loss, "val/right": right}, batch_size=len(batch["video"]), sync_dist=True)

    def test_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        self.log("test/right", self.both_ways(batch)[1], batch_size=len(batch["video"]), sync_dist=True)
