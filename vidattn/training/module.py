"""What every training shares: a network and its pixels, an optimizer over it, and what goes into its checkpoints."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal

import pytorch_lightning as pl
import torch
from pytorch_lightning.cli import OptimizerCallable
from pytorch_lightning.strategies import ModelParallelStrategy
from pytorch_lightning.utilities.rank_zero import rank_zero_info
from torch import Tensor, nn

from vidattn.calibration.calibration import Calibration
from vidattn.checkpoints.loading import load_weights
from vidattn.checkpoints.pretrained import Pretrained
from vidattn.checkpoints.saved import description
from vidattn.data.clips.order import stable_seed
from vidattn.data.clips.target import TargetEncoder
from vidattn.mistakes import Mistake, NotFiniteError
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.network import NetworkConfig
from vidattn.models.normalize import NORMALIZATIONS, Normalization, Normalize
from vidattn.preprocessing import Preprocessing
from vidattn.training.data_check import Labels, check_data
from vidattn.training.label_agreement import check_same_names
from vidattn.training.length import length_in_epochs
from vidattn.training.parameter_groups import OneRate, ParameterGroups
from vidattn.training.past_optimizer import moments_by_name
from vidattn.training.report import Report
from vidattn.training.same_network import check_same_network
from vidattn.training.schedule import Constant, Schedule
from vidattn.training.sharding import (
    GatherToEvaluate,
    check_strategy,
    distributed_as,
    gathered,
    read_as_others_do,
    split,
)
from vidattn.training.twin import without_trainer

Batch = dict[str, Any]


class VideoModule(pl.LightningModule, ABC):
    """A task: what a network is trained for on the clips of `VideoDataModule` (see `vidattn.data.clips` for a batch).

    A task of one's own writes `training_step` and, to be evaluated, `validation_step`, `test_step` or `predict_step`,
    as in any Lightning module. What the command line, the checkpoints and the scorecard want to know of a task they
    ask here; the answers below are those of a task that needs no labels and is measured by its loss. It may hold
    further networks: what `requires_grad` is trained, and what `sharded` names is split under FSDP2.

    Args:
        network: the network's configuration; another kind than a video transformer's by its `class_path`.
        optimizer: makes an optimizer from parameter groups; weight decay applies to weights of layers only.
        schedule: learning rate over the epochs; set at every step.
        groups: which parameters decay, and which learn more slowly (`vidattn.training.LayerDecay`).
        normalization: mean and std of the pixels, by name: see `vidattn.models.normalize.NORMALIZATIONS`. None: those
            of the checkpoint or of `weights`, and TimeSformer's without either.
        weights: what to start from: all that `vidattn.load` reads. A head of another size is reset.
        compile: run the network through `torch.compile`.
    """

    monitor: str = "val/loss"
    """What the best checkpoint is chosen by, unless `checkpoint.monitor` says otherwise."""
    monitor_mode: Literal["min", "max"] = "min"
    """Whether less of it is better, or more."""
    scores: tuple[str, ...] = ("loss",)
    """What is measured in evaluation: each is logged as `val/<name>`."""
    instead: ClassVar[Mapping[str, str]] = {}
    """Step that the task does not have -> which command does what it would."""
    without_head: bool = False
    """Whether the task calls `features` and `read` of its networks and never the networks: FSDP2 must know."""

    def __init__(
        self,
        network: VideoTransformerConfig | NetworkConfig,
        optimizer: OptimizerCallable = torch.optim.AdamW,
        schedule: Schedule = Constant(),  # noqa: B008  (frozen)
        normalization: Normalization | None = None,
        weights: str | None = None,
        compile: bool = False,
        groups: ParameterGroups = OneRate(),  # noqa: B008  (frozen)
    ) -> None:
        super().__init__()
        self.config = network
        self.network = network.build()
        self.normalize = Normalize(*NORMALIZATIONS[normalization or "timesformer"])
        self.normalizes_as_saved = normalization is None
        self.make_optimizer = optimizer
        self.schedule = schedule
        self.groups = groups
        self.class_names: list[str] = []
        self.preprocessing = Preprocessing()
        self.head_is_fresh = False
        self.licence = ""  # of the weights that training begins with
        self.calibration = Calibration()  # of the weights that answer; training makes others of them
        self._written: list[str] = []  # names of the weights in the checkpoint that a training goes on from
        if weights is not None:
            loaded = load_weights(self.network, network, weights)
            for line in loaded.report:
                rank_zero_info(f"{weights}: {line}")
            self.class_names = list(loaded.class_names)
            self.head_is_fresh = loaded.head_is_fresh
            self.licence, self.calibration = loaded.licence, loaded.calibration
            self.take_over(loaded)
            if self.normalizes_as_saved:
                self.normalize = Normalize(*loaded.preprocessing.pixels)
        if compile:
            self.network.compile()

    def take_over(self, loaded: Pretrained) -> None:
        """Called with what `weights` holds, as soon as the network is filled: for tasks that train more than that."""

    # What others ask a task.

    @property
    def labels(self) -> Labels | None:
        """What the task reads out of a list's labels; None where it needs no labels."""
        return None

    @property
    def needs_labels(self) -> bool:
        """Whether every list that it trains and is evaluated on must have labels."""
        return self.labels is not None

    @property
    def target_encoder(self) -> TargetEncoder | None:
        """What is to be learnt of a clip, where that is not what a list's labels say; `data.target` comes first."""
        return None

    @property
    def multi_label(self) -> bool:
        """Whether a class's probability is its own (a sigmoid): whoever answers with the network must know."""
        return False

    unlearnt: tuple[str, ...] = ()
    """Beginnings of names in the network whose weights the task does not train; whoever loads it gets fresh ones."""

    @property
    def sharded(self) -> list[nn.Module]:
        """The networks whose weights are split over the processes under FSDP2, block by block."""
        return [self.network]

    @property
    def answering(self) -> list[nn.Module]:
        """What an answer is made by: the network, and whatever the task puts behind it."""
        return [self.network]

    def answer_macs(self, frames: int, height: int, width: int) -> int:
        """Multiply-accumulates of an answer about one clip."""
        return self.network.macs(frames, height, width).total

    def report(self) -> Report:
        """What the test has found, for the scorecard: all that was logged as `test/<name>`. Asked when it has ended."""
        logged = self.trainer.callback_metrics
        numbers = {name[5:]: value.item() for name, value in logged.items() if name.startswith("test/")}
        return Report(numbers, {name: f"{value:.4g}" for name, value in numbers.items()})

    def answers(self, outputs: Any, top: int) -> list[dict[str, Any]]:
        """What `vidattn predict` writes about the videos of a batch, a row each: `path`, and in `top` the answers.

        Args:
            outputs: what `predict_step` returned.
            top: the most answers that a row shall have.

        Raises:
            ValueError: the task has no answers.
        """
        raise Mistake(f"{type(self).__name__} has no answers about single videos; vidattn predict is not for it")

    # What Lightning calls.

    @abstractmethod
    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The loss of a batch, a scalar."""

    def configure_model(self) -> None:
        """Shard every block over the processes under `ModelParallelStrategy` (FSDP2); nothing under other strategies.

        Raises:
            ValueError: the strategy would split layers (tensor parallelism), or it is the older FSDP.
        """
        check_strategy(self.trainer.strategy, self.device_mesh)
        if self.device_mesh is not None:
            split(self.sharded, self.device_mesh["data_parallel"], self.without_head)
        if isinstance(self.trainer.strategy, ModelParallelStrategy):
            read_as_others_do(self.trainer.strategy)

    def configure_callbacks(self) -> list[pl.Callback]:
        """What must watch over every run of ours, also under a plain `pl.Trainer`."""
        before: list[pl.Callback] = self.trainer.callbacks  # type: ignore[attr-defined]
        return [] if any(isinstance(callback, GatherToEvaluate) for callback in before) else [GatherToEvaluate()]

    def setup(self, stage: str) -> None:
        """Check the data against the task, tell it what is to be learnt, and take its preprocessing.

        Raises:
            ValueError: they do not go together; see `vidattn.training.data_check`.
        """
        data = getattr(self.trainer, "datamodule", None)
        if data is None:
            return
        check_data(data, stage, self.trainer.world_size, self.labels)
        if data.target is None:
            data.target = self.target_encoder
        if stage != "predict":
            self.preprocessing = data.preprocessing

    def on_fit_start(self) -> None:
        """Let moments of a checkpoint find their parameters, whose order may have changed since."""
        for optimizer in self.trainer.optimizers:
            optimizer.register_load_state_dict_pre_hook(self._moments_here)

    def _moments_here(self, optimizer: torch.optim.Optimizer, saved: dict[str, Any]) -> dict[str, Any] | None:
        return moments_by_name(saved, self._written, optimizer, self) if self._written else None

    def on_train_start(self) -> None:
        """From now on the head is no longer a fresh one, and what was measured of it no longer holds."""
        self.head_is_fresh = False
        self.calibration = Calibration()

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
            self.log("lr", max(group["lr"] for group in optimizer.param_groups))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """The optimizer over the groups of parameters; the schedule works on their learning rates at every step."""
        optimizer = self.make_optimizer(self.groups.groups(self))
        for group in optimizer.param_groups:
            group["lr"] *= group.get("lr_scale", 1.0)
            group.setdefault("initial_lr", group["lr"])
        return optimizer

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Put in what is needed to use the network alone, as plain values (`weights_only=True` can read them)."""
        checkpoint["state_dict"] = gathered(checkpoint["state_dict"])  # averaged weights come in pieces under FSDP2
        preprocessing = self.preprocessing.with_pixels(**self.normalize.values())
        preprocessing = replace(preprocessing, multi_label=self.multi_label)
        checkpoint["vidattn"] = description(self.config, self.class_names, preprocessing, licence=self.licence)
        if self.unlearnt:
            checkpoint["vidattn"]["unlearnt"] = list(self.unlearnt)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the class names from the checkpoint (prediction has no labelled data to take them from), and mean and
        std of the pixels unless they were given.

        Raises:
            ValueError: the checkpoint is of another network; or the data has other names, or the same in another order:
                every label would be wrong.
        """
        saved = checkpoint.get("vidattn", {})
        check_same_network(self, self.config.to_dict(), saved.get("network", {}), checkpoint.get("state_dict", {}))
        preprocessing = Preprocessing.from_dict(saved.get("preprocessing", {}))
        if self.normalizes_as_saved and preprocessing.mean and preprocessing.std:
            self.normalize = Normalize(preprocessing.mean, preprocessing.std).to(self.device)
        names = list(saved.get("class_names", []))
        check_same_names(self.class_names, names)
        self.class_names = names
        self.licence = str(saved.get("licence", self.licence))
        self.calibration = Calibration.from_dict(saved.get("calibration", {}))
        if self.preprocessing == Preprocessing():  # no labelled data has told
            self.preprocessing = preprocessing
        self._written = list(checkpoint.get("state_dict", []))
        # FSDP2's strategy has loaded the weights by now and takes them out; averaged weights look for them here.
        checkpoint.setdefault("state_dict", self.state_dict())

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """As any module's; of a sharded network each process takes its part of whole weights."""
        return super().load_state_dict(distributed_as(self.state_dict(), state_dict), strict, assign)

    def check_finite(self, loss: Tensor, clips: Iterable[str]) -> None:
        """
        Raises:
            NotFiniteError: the loss is not finite; the message names the step and the clips.
        """
        if not loss.isfinite():
            raise NotFiniteError(
                f"the loss is {loss.item()} at step {self.global_step} (epoch {self.current_epoch}); clips: "
                f"{', '.join(clips)}. Lower the learning rate, clip gradients, or look at these files"
            )

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """For Lightning's averaging of weights; see `vidattn.training.twin`."""
        return without_trainer(self, memo)
