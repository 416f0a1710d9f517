"""What trainings towards classes share: labels, mixing, accuracy, answers. One class a video, or several."""

from abc import ABC, abstractmethod
from dataclasses import fields, is_dataclass, replace
from typing import Any, Literal

import torch
from pytorch_lightning.cli import OptimizerCallable
from pytorch_lightning.utilities.rank_zero import rank_zero_info, rank_zero_warn
from torch import Tensor, nn
from torchmetrics import Metric

from vidattn.calibration.calibration import NONE
from vidattn.checks import check_above_zero
from vidattn.mistakes import Mistake
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.lean import lean
from vidattn.models.network import NetworkConfig
from vidattn.models.normalize import Normalization
from vidattn.training.data_check import SPLITS, Labels
from vidattn.training.label_agreement import count_as_checkpoint, head_by_name, names_in_checkpoint
from vidattn.training.mixing import Mixing
from vidattn.training.module import Batch, VideoModule
from vidattn.training.objective import Objective, OneLabel
from vidattn.training.parameter_groups import OneRate, ParameterGroups
from vidattn.training.report import Report
from vidattn.training.schedule import Constant, Schedule


class Classification(VideoModule, ABC):
    """A task whose network answers with classes: what is happening in this video? Abstract.

    A subclass says in `learn` what is driven towards; all else is here.

    Args:
        network: see `VideoModule`, as for `optimizer`, `schedule`, `normalization`, `weights`, `compile` and `groups`.
        optimizer: makes an optimizer from parameter groups.
        schedule: learning rate over the epochs.
        normalization: mean and std of the pixels, by name; those of the checkpoint or of `weights` where None.
        objective: one class a video, or several (`vidattn.training.objective.MultiLabel`).
        label_smoothing: the objective's, as YAMLs have long said it.
        mixup_alpha: mixup of each batch with this Beta parameter; 0 for none.
        cutmix_alpha: likewise cutmix; with both, one of the two is drawn per batch.
        weights: what to start from. A head of another size is reset.
        compile: run the network through `torch.compile`.
        groups: which parameters decay, and which learn more slowly.
        head_scale: factor on the weights of a head that starts fresh, so that a pre-trained network is not shaken at
            first; VideoMAE's, https://arxiv.org/abs/2203.12602, is 0.001.

    Raises:
        ValueError: an argument is out of range, or does not go with another.
    """

    monitor_mode: Literal["min", "max"] = "max"

    def __init__(
        self,
        network: VideoTransformerConfig | NetworkConfig,
        optimizer: OptimizerCallable = torch.optim.AdamW,
        schedule: Schedule = Constant(),  # noqa: B008  (frozen)
        normalization: Normalization | None = None,
        objective: Objective = OneLabel(),  # noqa: B008  (frozen)
        label_smoothing: float = 0.0,
        mixup_alpha: float = 0.0,
        cutmix_alpha: float = 0.0,
        weights: str | None = None,
        compile: bool = False,
        groups: ParameterGroups = OneRate(),  # noqa: B008  (frozen)
        head_scale: float = 1.0,
    ) -> None:
        if network.answers_blindly:
            raise Mistake(
                f"attention={network.title!r} never tells the token of "
                f"pooling={getattr(network, 'pooling', '')!r} of the video: all clips would get the same "
                "logits; take pooling=mean, or add a step such as space"
            )
        objective = smoothed(objective, label_smoothing)
        check_above_zero(head_scale=head_scale)
        super().__init__(network, optimizer, schedule, normalization, weights, compile, groups)
        if weights is None or self.head_is_fresh:
            with torch.no_grad():
                self.network.head.weight.mul_(head_scale)
        self.objective = objective
        mixes = mixup_alpha or cutmix_alpha
        self.mixing = Mixing(network.num_classes, mixup_alpha, cutmix_alpha) if mixes else None
        if mixes and objective.multi_label:
            raise Mistake("mixup and cutmix are for one label a video; set mixup_alpha and cutmix_alpha to 0")
        self.val_accuracy = objective.metric(network.num_classes)
        self.test_accuracy = objective.metric(network.num_classes)
        self.test_scores: dict[str, Tensor] = {}
        self._answering: list[nn.Module] = []  # a list, so that it is no part of this module

    @property
    def monitor(self) -> str:  # type: ignore[override]
        """The objective's: top-1 per video, or mean average precision."""
        return self.objective.monitor

    @property
    def scores(self) -> tuple[str, ...]:  # type: ignore[override]
        """The objective's."""
        return self.objective.scores

    @property
    def labels(self) -> Labels:
        """Those of as many classes as the head has."""
        return Labels(self.config.num_classes, self.objective.multi_label, self.class_names)

    @property
    def multi_label(self) -> bool:
        """Whether the objective takes sigmoids."""
        return self.objective.multi_label

    def forward(self, video: Tensor) -> Tensor:
        """uint8 clips `(B, 3, T, S, S)` -> logits `(B, K)`; B is 0 where all videos of a batch were skipped.

        They are calibrated where the checkpoint holds a calibration: a test measures the answers that are given.
        """
        if not len(video):
            return torch.zeros(0, self.config.num_classes, device=video.device)
        network = self._answering[0] if self._answering else self.network
        return self.calibration.logits(network(self.normalize(video)))

    def setup(self, stage: str) -> None:
        """Take class names and preprocessing from the data, and check them against the network.

        Raises:
            ValueError: data and network do not go together, or the head was never trained.
        """
        if stage != "fit" and self.head_is_fresh and not self.trainer.ckpt_path:
            raise Mistake(
                "the weights have no head for these classes, so answers would be random; train one first "
                "(vidattn fit), or give --ckpt_path RUN/checkpoints/best.ckpt"
            )
        data = getattr(self.trainer, "datamodule", None)
        if data is not None and stage in ("validate", "test") and data.make is None:  # whose names are the run's
            checkpoint = self.trainer.ckpt_path
            names = names_in_checkpoint(str(checkpoint)) if checkpoint else self.class_names
            count_as_checkpoint(data, SPLITS[stage], names, rank_zero_warn)
        super().setup(stage)
        if data is None or stage == "predict":
            return
        if stage == "fit" and (done := head_by_name(self.network, self.class_names, data.class_names)):
            rank_zero_info(done)
        self.class_names = list(data.class_names)
        if stage == "fit" and self.mixing is not None:
            check_mixable(data, self.trainer.world_size)
            rank_zero_info("train/top1 of mixed clips counts the label with the larger share of each")

    @abstractmethod
    def learn(self, video: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Logits `(B, K)` of a training batch, and the loss, a scalar.

        Args:
            video: normalised clips `(B, 3, T, H, W)`, mixed if the task mixes.
            targets: labels as the objective takes them.
        """

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The loss of the batch. `train/top1` of mixed clips takes the label that has the larger share of a clip.

        Raises:
            NotFiniteError: the loss is not finite; the message names the step and the clips.
        """
        video, labels = self.normalize(batch["video"]), batch["label"]
        targets = labels
        if self.mixing is not None:
            video, targets = self.mixing(video, labels, batch["video_id"])
        logits, loss = self.learn(video, targets)
        self.check_finite(loss, batch["path"])
        over_all: dict[str, Any] = {"prog_bar": True, "on_epoch": True, "batch_size": len(labels), "sync_dist": True}
        self.log("train/loss", loss, on_step=True, **over_all)
        if not self.objective.multi_label:
            larger = targets.argmax(-1) if targets.ndim > 1 else targets
            hits = (logits.argmax(-1) == larger).float().mean()
            self.log("train/top1", hits, on_step=False, **over_all)
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Add the batch's views to the validation accuracy."""
        self.val_accuracy.update(self(batch["video"]), batch["label"], batch["video_id"])

    def on_validation_epoch_end(self) -> None:
        """Log `val/loss`, `val/clip_top1`, `val/video_top1` and so on."""
        self._log_accuracy(self.val_accuracy, "val")

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Add the batch's views to the test accuracy."""
        self.test_accuracy.update(self(batch["video"]), batch["label"], batch["video_id"])

    def on_test_start(self) -> None:
        """Test the network in the form in which it answers."""
        self._make_lean()

    def on_test_end(self) -> None:
        """Let that form go: weights may change from here on."""
        self._answering.clear()

    def on_predict_end(self) -> None:
        """The same."""
        self._answering.clear()

    def _make_lean(self) -> None:
        compiled = getattr(self.network, "_compiled_call_impl", None) is not None
        if self.trainer.world_size == 1 and not compiled:  # processes may share the weights out among them
            self._answering = [lean(self.network)]

    def on_test_epoch_end(self) -> None:
        """Log `test/loss`, `test/video_top1` and so on; keep all of it in `test_scores` for the report."""
        self.test_scores = self.test_accuracy.compute()
        self._log_accuracy(self.test_accuracy, "test")

    def report(self) -> Report:
        """Accuracy per clip and per video, or mean average precision."""
        return self.objective.report(self.test_scores, self.class_names, self.config.num_classes)

    def predict_step(self, batch: Batch, batch_idx: int) -> dict[str, Any]:
        """Paths of the batch's videos and their probabilities `(n, K)`, averaged over the views."""
        logits = self(batch["video"]).float()
        _, owner = batch["video_id"].unique_consecutive(return_inverse=True)
        count = len(batch["path"])
        views = torch.bincount(owner, minlength=count)[:, None]
        total = logits.new_zeros(count, logits.shape[1]).index_add_(0, owner, self.objective.probabilities(logits))
        return {"path": batch["path"], "probabilities": total / views, "skipped": batch["skipped"]}

    def on_predict_start(self) -> None:
        """Look for the names of the classes, and make the network's lean form.

        Raises:
            ValueError: nothing says what the classes are called, or there are more or fewer names than classes.
        """
        self.class_names = self.class_names or list(self.trainer.datamodule.class_names)  # type: ignore[attr-defined]
        count = self.config.num_classes
        if len(self.class_names) != count:
            raise Mistake(
                f"the data has {len(self.class_names)} class names but num_classes={count}; set data.class_names"
            )
        self._make_lean()

    def answers(self, outputs: dict[str, Any], top: int) -> list[dict[str, Any]]:
        """The likeliest classes of each video, with probabilities; `answer` where that may be "none of these"."""
        rows = []
        for path, probabilities in zip(outputs["path"], outputs["probabilities"], strict=True):
            best = probabilities.topk(min(top, len(probabilities)))
            named = list(zip(best.indices.tolist(), best.values.tolist(), strict=True))
            said = {"top": [{"class": self.class_names[i], "probability": p} for i, p in named]}
            rows.append({"path": path, **self._answer(*named[0]), **said})
        return rows

    def _answer(self, likeliest: int, probability: float) -> dict[str, str]:
        """The answer, where it may be "none of these"."""
        threshold = self.calibration.threshold
        if threshold is None:
            return {}
        return {"answer": NONE if probability < threshold.least else self.class_names[likeliest]}

    def _log_accuracy(self, accuracy: Metric, split: str) -> None:
        for name, value in accuracy.compute().items():
            if value.ndim == 0:
                # The same in all processes already; the mean over them keeps Lightning from warning that it may not be.
                self.log(f"{split}/{name}", value.float(), prog_bar=name in ("video_top1", "mAP"), sync_dist=True)
        accuracy.reset()


def check_mixable(data: Any, processes: int) -> None:
    """
    Raises:
        ValueError: a batch of one process holds one video, which has none to be mixed with.
    """
    loading = data.loading
    videos = min(loading.videos_per_batch, data.num_videos("train") // processes)
    if videos < 2:
        raise Mistake(
            f"mixup and cutmix mix clips of two videos, and a batch of data.batch_size={loading.batch_size} with "
            f"data.clips_per_video={loading.clips_per_video} holds {videos}; make the batch larger, or set "
            "model.mixup_alpha and model.cutmix_alpha to 0"
        )


def smoothed(objective: Objective, label_smoothing: float) -> Objective:
    """The objective with this smoothing; as it is where that is 0.

    >>> smoothed(OneLabel(), 0.1)
    OneLabel(label_smoothing=0.1)

    Raises:
        ValueError: the objective smooths by another share already, or knows no smoothing.
    """
    if not label_smoothing:
        return objective
    if not is_dataclass(objective) or "label_smoothing" not in {field.name for field in fields(objective)}:
        raise Mistake(f"label_smoothing={label_smoothing}: {type(objective).__name__} does not smooth labels; set 0")
    own = getattr(objective, "label_smoothing", 0.0)
    if own not in (0, label_smoothing):
        raise Mistake(f"label_smoothing={label_smoothing}, but the objective's is {own}; give it once")
    return replace(objective, label_smoothing=label_smoothing)
