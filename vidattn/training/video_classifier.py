"""The Lightning module: a network, a loss, an optimizer and what goes into its checkpoints."""

from dataclasses import asdict, replace
from typing import Any, Literal

import pytorch_lightning as pl
import torch
from pytorch_lightning.cli import OptimizerCallable
from pytorch_lightning.strategies import FSDPStrategy
from pytorch_lightning.utilities.rank_zero import rank_zero_info
from torch import Tensor
from torch.distributed.fsdp import FSDPModule, fully_shard
from torchmetrics import Metric

from vidattn.checkpoints.loading import load_weights
from vidattn.checkpoints.saved import description
from vidattn.data.clips.loader import stable_seed
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.normalize import NORMALIZATIONS, Normalize
from vidattn.models.presets import build_network
from vidattn.preprocessing import Preprocessing
from vidattn.training.length import length_in_epochs
from vidattn.training.mixing import Mixing
from vidattn.training.names import check_count, check_labelled, check_names, head_by_name
from vidattn.training.objective import Objective, OneLabel
from vidattn.training.parameter_groups import parameter_groups
from vidattn.training.schedule import Constant, Schedule

Batch = dict[str, Any]

FSDP2_ARGUMENTS = (
    "--trainer.strategy ModelParallelStrategy --trainer.strategy.data_parallel_size <processes> "
    "--trainer.strategy.tensor_parallel_size 1 --trainer.strategy.save_distributed_checkpoint false"
)


class VideoClassifier(pl.LightningModule):
    """Trains and evaluates a video transformer on batches of `VideoDataModule` (uint8 clips, see `data/clips.py`).

    Args:
        network: the network's configuration.
        optimizer: makes an optimizer from parameter groups; weight decay applies to weights of layers only.
        schedule: learning rate over the epochs; set at every step.
        normalization: mean and std of the pixels, by name: see `vidattn.models.normalize.NORMALIZATIONS`. None: those
            of the checkpoint or of `weights`, and TimeSformer's without either.
        objective: one class a video, or several (`vidattn.training.MultiLabel`).
        label_smoothing: share of the target that is spread over all classes.
        mixup_alpha: mixup of each batch with this Beta parameter; 0 for none.
        cutmix_alpha: likewise cutmix; with both, one of the two is drawn per batch.
        weights: what to start from: all that `vidattn.load` reads. A head of another size is reset.
        compile: run the network through `torch.compile`.

    Raises:
        ValueError: an argument is out of range, or does not go with another.
    """

    def __init__(
        self,
        network: VideoTransformerConfig,
        optimizer: OptimizerCallable = torch.optim.AdamW,
        schedule: Schedule = Constant(),  # noqa: B008  (frozen)
        normalization: Literal["timesformer", "imagenet", "half"] | None = None,
        objective: Objective = OneLabel(),  # noqa: B008  (frozen)
        label_smoothing: float = 0.0,
        mixup_alpha: float = 0.0,
        cutmix_alpha: float = 0.0,
        weights: str | None = None,
        compile: bool = False,
    ) -> None:
        super().__init__()
        if network.answers_blindly:
            raise ValueError(
                f"attention={network.attention!r} never tells the token of pooling={network.pooling!r} of the video: "
                "all clips would get the same logits; take pooling=mean, or add a step such as space"
            )
        if not 0 <= label_smoothing < 1:
            raise ValueError(f"label_smoothing={label_smoothing} must be 0 (none) or more, and less than 1")
        self.config = network
        self.network = build_network(network)
        self.normalize = Normalize(*NORMALIZATIONS[normalization or "timesformer"])
        self.normalizes_as_saved = normalization is None
        self.make_optimizer = optimizer
        self.schedule = schedule
        self.objective = objective
        self.label_smoothing = label_smoothing
        mixes = mixup_alpha or cutmix_alpha
        self.mixing = Mixing(network.num_classes, mixup_alpha, cutmix_alpha) if mixes else None
        if mixes and objective.multi_label:
            raise ValueError("mixup and cutmix are for one label a video; set mixup_alpha and cutmix_alpha to 0")
        self.val_accuracy = objective.metric(network.num_classes)
        self.test_accuracy = objective.metric(network.num_classes)
        self.test_scores: dict[str, Tensor] = {}
        self.class_names: list[str] = []
        self.preprocessing = Preprocessing()
        self.head_is_fresh = False
        if weights is not None:
            loaded = load_weights(self.network, network, weights)
            for line in loaded.report:
                rank_zero_info(f"{weights}: {line}")
            self.class_names = list(loaded.class_names)
            self.head_is_fresh = loaded.head_is_fresh
            if self.normalizes_as_saved:
                self.normalize.set(*loaded.preprocessing.pixels)
        if compile:
            self.network.compile()

    def forward(self, video: Tensor) -> Tensor:
        """uint8 clips `(B, 3, T, S, S)` -> logits `(B, K)`; B is 0 where all videos of a batch were skipped."""
        if not len(video):
            return torch.zeros(0, self.config.num_classes, device=video.device)
        return self.network(self.normalize(video))

    def configure_model(self) -> None:
        """Shard every block over the processes under `ModelParallelStrategy` (FSDP2); nothing under other strategies.

        Raises:
            ValueError: the strategy would split layers (tensor parallelism), or it is the older FSDP.
        """
        if isinstance(self.trainer.strategy, FSDPStrategy):
            # It flattens the parameters, so that nobody can tell any more which of them decay.
            raise ValueError(f"strategy: fsdp is not supported, FSDP2 is: {FSDP2_ARGUMENTS}")
        mesh = self.device_mesh
        if mesh is None or isinstance(self.network, FSDPModule):
            return
        if mesh["tensor_parallel"].size() > 1:
            raise ValueError(f"vidattn does not split layers over processes; use {FSDP2_ARGUMENTS}")
        for block in self.network.blocks:
            fully_shard(block, mesh=mesh["data_parallel"])
        fully_shard(self.network, mesh=mesh["data_parallel"])

    def setup(self, stage: str) -> None:
        """Take class names and preprocessing from the data, and check them against the network.

        Raises:
            ValueError: the data has no labels, another number of classes than the network's head, or other names than
                the weights; the head was never trained; or there are fewer videos to evaluate than processes.
        """
        if stage != "fit" and self.head_is_fresh and not self.trainer.ckpt_path:
            raise ValueError(
                "the weights have no head for these classes, so answers would be random; train one first "
                "(vidattn fit), or give --ckpt_path RUN/checkpoints/best.ckpt"
            )
        data = getattr(self.trainer, "datamodule", None)
        if data is None:
            return
        # Of Lightning's stage, whose text in a message would be TrainerFn.TESTING.
        split = {"fit": "val", "validate": "val", "test": "test", "predict": "predict"}[stage]
        processes = self.trainer.world_size
        if data.sources[split] and (videos := data.num_videos(split)) < processes:
            # Lightning skips the evaluation in a process that has none, and the others wait for it for ever.
            raise ValueError(
                f"data.{split} has fewer videos ({videos}) than there are processes ({processes}), and each needs one; "
                f"set trainer.devices to {videos} or less"
            )
        if stage == "predict":
            return
        for needed in ("train", "val") if stage == "fit" else (split,):
            check_labelled(data, needed)
        check_count(data, self.config.num_classes)
        several = data.manifest("train" if stage == "fit" else split).multi_label
        if several != self.objective.multi_label:
            raise ValueError(
                f"the lists have {'several labels' if several else 'one label'} a video; set --model.objective "
                f"vidattn.training.{'MultiLabel' if several else 'OneLabel'}"
                f"{'' if several else ', or data.multi_label to true if a video may have several'}"
            )
        if stage != "fit":
            check_names(data.class_names, self.class_names)
        elif done := head_by_name(self.network, self.class_names, data.class_names):
            rank_zero_info(done)
        self.class_names = list(data.class_names)
        self.preprocessing = data.preprocessing

    def on_train_start(self) -> None:
        """From now on the head is no longer a fresh one."""
        self.head_is_fresh = False

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Set the learning rate for this step, and seed what the step draws (dropout, drop path, mixing).

        The seed depends on (seed, epoch, step, process) alone, so a run that is resumed draws what it would have drawn
        uninterrupted.
        """
        seed = getattr(getattr(self.trainer, "datamodule", None), "seed", 0)
        torch.manual_seed(stable_seed(seed, self.current_epoch, batch_idx, self.global_rank))
        epoch = self.current_epoch + batch_idx / self.trainer.num_training_batches
        factor = self.schedule.factor(epoch, length_in_epochs(self.trainer))
        for optimizer in self.trainer.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["initial_lr"] * factor
                self.log("lr", group["lr"])

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The objective's loss of the batch: cross-entropy by default.

        Raises:
            FloatingPointError: the loss is not finite; the message names the step and the clips.
        """
        video, labels = self.normalize(batch["video"]), batch["label"]
        targets = labels
        if self.mixing is not None:
            video, targets = self.mixing(video, labels)
        logits = self.network(video)
        loss = self.objective.loss(logits.float(), targets, self.label_smoothing)
        if not loss.isfinite():
            raise FloatingPointError(
                f"the loss is {loss.item()} at step {self.global_step} (epoch {self.current_epoch}); clips: "
                f"{', '.join(batch['path'])}. Lower the learning rate, clip gradients, or look at these files"
            )
        over_all: dict[str, Any] = {"prog_bar": True, "on_epoch": True, "batch_size": len(labels), "sync_dist": True}
        self.log("train/loss", loss, on_step=True, **over_all)
        if not self.objective.multi_label:
            hits = (logits.argmax(-1) == labels).float().mean()
            self.log("train/top1", hits, on_step=False, **over_all)
        return loss

    def on_validation_start(self) -> None:
        """Gather what is sharded."""
        self._gather(True)

    def on_validation_end(self) -> None:
        """Shard it again."""
        self._gather(False)

    def on_test_start(self) -> None:
        """Gather what is sharded."""
        self._gather(True)

    def on_predict_start(self) -> None:
        """Gather what is sharded."""
        self._gather(True)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Add the batch's views to the validation accuracy."""
        self.val_accuracy.update(self(batch["video"]), batch["label"], batch["video_id"])

    def on_validation_epoch_end(self) -> None:
        """Log `val/loss`, `val/clip_top1`, `val/video_top1` and so on."""
        self._log_accuracy(self.val_accuracy, "val")

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Add the batch's views to the test accuracy."""
        self.test_accuracy.update(self(batch["video"]), batch["label"], batch["video_id"])

    def on_test_epoch_end(self) -> None:
        """Log `test/loss`, `test/video_top1` and so on; keep all of it in `test_scores` for the scorecard."""
        self.test_scores = self.test_accuracy.compute()
        self._log_accuracy(self.test_accuracy, "test")

    def predict_step(self, batch: Batch, batch_idx: int) -> dict[str, Any]:
        """Paths of the batch's videos and their probabilities `(n, K)`, averaged over the views."""
        logits = self(batch["video"]).float()
        _, owner = batch["video_id"].unique_consecutive(return_inverse=True)
        count = len(batch["path"])
        views = torch.bincount(owner, minlength=count)[:, None]
        total = logits.new_zeros(count, logits.shape[1]).index_add_(0, owner, self.objective.probabilities(logits))
        return {"path": batch["path"], "probabilities": total / views, "skipped": batch["skipped"]}

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """The optimizer over two groups; the schedule works on its learning rate at every step."""
        optimizer = self.make_optimizer(parameter_groups(self.network))
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        return optimizer

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Put in what is needed to use the network alone, as plain values (`weights_only=True` can read them)."""
        preprocessing = self.preprocessing.with_pixels(**self.normalize.values())
        # Whoever answers with it must know whether to take sigmoids.
        preprocessing = replace(preprocessing, multi_label=self.objective.multi_label)
        checkpoint["vidattn"] = description(self.config, self.class_names, preprocessing)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the class names from the checkpoint (prediction has no labelled data to take them from), and mean and
        std of the pixels unless they were given.

        Raises:
            ValueError: the checkpoint is of another network; or the data has other names, or the same in another order:
                every label would be wrong.
        """
        saved = checkpoint.get("vidattn", {})
        self._check_network(saved.get("network", {}), checkpoint.get("state_dict", {}))
        preprocessing = Preprocessing.from_dict(saved.get("preprocessing", {}))
        if self.normalizes_as_saved and preprocessing.mean and preprocessing.std:
            self.normalize.set(preprocessing.mean, preprocessing.std)
        names = list(saved.get("class_names", []))
        check_names(self.class_names, names)
        self.class_names = names
        if self.preprocessing == Preprocessing():  # no labelled data has told
            self.preprocessing = preprocessing

    def _check_network(self, theirs: dict[str, Any], state: dict[str, Tensor]) -> None:
        ours = asdict(self.config)
        differ = [
            f"{key}={theirs[key]!r} (here {ours[key]!r})" for key in ours if theirs.get(key, ours[key]) != ours[key]
        ]
        shapes = {name: value.shape for name, value in self.state_dict().items()}
        if differ and state and {name: value.shape for name, value in state.items()} != shapes:
            raise ValueError(
                f"the checkpoint is of a network with {', '.join(differ)}; give its RUN/config.yaml and leave "
                "model.network as it is, or start a new training from it with --model.weights in place of --ckpt_path"
            )

    def _gather(self, whole: bool) -> None:
        """Under FSDP2 put the weights together, or shard them again.

        Processes have different numbers of videos to evaluate. Gathering block by block, one would wait for the others.
        """
        for module in self.modules():
            if isinstance(module, FSDPModule):
                module.set_reshard_after_forward(not whole)
                if whole:
                    module.unshard()
                else:
                    module.reshard()

    def _log_accuracy(self, accuracy: Metric, split: str) -> None:
        for name, value in accuracy.compute().items():
            if value.ndim == 0:
                # The same in all processes already; the mean over them keeps Lightning from warning that it may not be.
                self.log(f"{split}/{name}", value.float(), prog_bar=name in ("video_top1", "mAP"), sync_dist=True)
        accuracy.reset()
