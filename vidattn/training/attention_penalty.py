"""A regulariser of attention, beside the loss of any task."""

from collections.abc import Sequence
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from vidattn.attention.per_frame import PerFrame
from vidattn.attention.scheme import parse_scheme
from vidattn.checks import check_above_zero, check_positive
from vidattn.grid import Grid
from vidattn.mistakes import Mistake
from vidattn.models.network import Network
from vidattn.models.watching import Watching
from vidattn.training.attention_measures import Measure
from vidattn.training.length import length_in_epochs
from vidattn.training.map_lesson import chosen_blocks
from vidattn.training.schedule import Constant, Schedule


class AttentionPenalty(pl.Callback):
    """Adds `weight x factor x measure` to the loss of each training step: against attention that looks at too little.

    A callback, so that every task can have it, several of them too. Each step's weights are reduced to a number where
    they arise; with `gradient_checkpointing` those of one block at a time are in memory, and of many tokens a few rows
    are enough. The value is logged as `train/<name of the measure>`, without weight and factor.

    Args:
        measure: what is to be small, such as `vidattn.training.MissingEntropy`.
        weight: what it counts beside the loss.
        schedule: factor on the weight over the epochs, as of a learning rate.
        steps: names of steps as in a scheme, such as `[time]`; all by default.
        blocks: indices of blocks, from 0, or from the end with a minus; all by default.
        queries: so many rows of each map are measured, others at each training step; null for all of them.

    Raises:
        ValueError: a number is out of range, or the network has no such step or block.
    """

    def __init__(
        self,
        measure: Measure,
        weight: float = 0.1,
        schedule: Schedule = Constant(),  # noqa: B008  (frozen)
        steps: Sequence[str] | None = None,
        blocks: Sequence[int] | None = None,
        queries: int | None = 64,
    ) -> None:
        super().__init__()
        check_above_zero(weight=weight)
        if queries is not None:
            check_positive(queries=queries)
        self.measure = measure
        self.weight = weight
        self.schedule = schedule
        self.steps = steps
        self.blocks = blocks
        self.queries = queries
        self.factor = 1.0
        self.clips = 0
        self.watching: Watching | None = None

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """
        Raises:
            ValueError: the network has no such step or block, or is compiled, so that nothing can be seen in it.
        """
        if stage == "fit":
            check_not_compiled(pl_module.network, "AttentionPenalty")  # type: ignore[arg-type]
            chosen_steps(pl_module.network, self.steps, self.blocks)  # type: ignore[arg-type]

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Begin to watch, for one forward and one backward pass."""
        self._end()
        self.clips = len(batch["video"])
        epoch = trainer.current_epoch + batch_idx / trainer.num_training_batches
        self.factor = self.weight * self.schedule.factor(epoch, length_in_epochs(trainer))
        if not self.factor:
            return
        steps = chosen_steps(pl_module.network, self.steps, self.blocks)  # type: ignore[arg-type]
        self.watching = Watching(steps, self._look, self.queries, trainer.global_step, self.measure.sight)
        self.watching.__enter__()

    def _look(self, step: nn.Module, grid: Grid, weights: Tensor, rows: Tensor | None) -> Tensor:
        return self.measure.of(weights.float())

    def on_before_backward(self, trainer: pl.Trainer, pl_module: pl.LightningModule, loss: Tensor) -> None:
        """Add the mean over the steps to the loss, as Lightning has divided it for accumulation and scaled it.

        Raises:
            ValueError: none of the steps has what is to be measured.
        """
        if self.watching is None:
            return
        found = [one for values in self.watching.found.values() for one in values]
        if not found:
            raise Mistake(
                f"AttentionPenalty: {type(self.measure).__name__} finds nothing to measure in the network; name "
                "steps that attend by a softmax, or for GateSize blocks with a gate (squeeze_excite, cbam)"
            )
        value = torch.stack(found).mean()
        scaler = getattr(trainer.precision_plugin, "scaler", None)
        scale = (scaler.get_scale() if scaler is not None else 1.0) / trainer.accumulate_grad_batches
        # In place: the very tensor whose gradients are asked for next.
        loss.add_((self.factor * scale * value).to(loss.dtype))
        over: dict[str, Any] = {"on_step": False, "on_epoch": True, "batch_size": self.clips, "sync_dist": True}
        pl_module.log(f"train/{self.measure.name}", value.detach(), **over)

    def on_after_backward(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Look away until the next batch."""
        self._end()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Likewise."""
        self._end()

    def _end(self) -> None:
        if self.watching is not None:
            self.watching.end()
        self.watching = None


def chosen_steps(network: Network, names: Sequence[str] | None, blocks: Sequence[int] | None) -> list[nn.Module]:
    """The attention steps of these names in these blocks; None for all.

    Raises:
        ValueError: there is no such block, or no such step in them.
    """
    every = list(network.all_blocks())
    steps = [step for index in chosen_blocks(blocks, len(every)) for step in every[index].steps]
    if names is None:
        return steps
    classes = tuple(parse_scheme("+".join(names)).classes)
    found = [step for step in steps if isinstance(step.block if isinstance(step, PerFrame) else step, classes)]
    if not found:
        where = "no block" if blocks is None else f"none of blocks={list(blocks)}"
        raise Mistake(f"steps={list(names)}: {where} of attention={network.config.title!r} has such a step")
    return found


def check_not_compiled(network: nn.Module, who: str) -> None:
    """
    Raises:
        ValueError: the network runs through `torch.compile`, which leaves out what looks into it.
    """
    if getattr(network, "_compiled_call_impl", None) is not None:
        raise Mistake(f"{who} looks into the network while it runs, which a compiled one does not allow; set "
                      "model.compile to false")  # fmt: skip
