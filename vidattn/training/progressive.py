"""Attention that comes in by and by, from the lowest block to the highest."""

from functools import partial
from typing import Any

import pytorch_lightning as pl
from torch import Tensor, nn

from vidattn.checks import check_above_zero
from vidattn.mistakes import Mistake
from vidattn.models.network import Network
from vidattn.training.attention_penalty import check_not_compiled
from vidattn.training.length import length_in_epochs


class ProgressiveAttention(pl.Callback):
    """Multiplies the updates of the attention steps by a factor that rises from 0 to 1, block after block.

    At first the network is a stack of MLPs on tokens that do not know of one another; the lowest block's attention
    comes in first, the highest's last, each in its own part of the first `epochs` epochs. Where the factor is 0 the
    gradients of a step are zeros, not missing, so that several processes work as always; weight decay goes on. Behind
    `epochs` the network is the plain one. Checkpoints hold the plain one throughout, also those written before: whoever
    loads one of these gets all attention at once, while the validation scores of these epochs are of the network as it
    was trained, so that `epochs` must be less than the training. A training that goes on takes its factors from where
    it is.

    Progressive stacking of layers, https://proceedings.mlr.press/v97/gong19a.html, has the like for whole blocks.

    Args:
        epochs: until all attention is there; need not be whole.

    Raises:
        ValueError: it is not above 0, or not less than the training.
    """

    def __init__(self, epochs: float) -> None:
        super().__init__()
        check_above_zero(epochs=epochs)
        self.epochs = epochs
        self.factors: list[float] = []
        self.hooks: list[Any] = []

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """
        Raises:
            ValueError: the network is compiled, and its steps cannot be changed.
        """
        if stage == "fit":
            check_not_compiled(pl_module.network, "ProgressiveAttention")  # type: ignore[arg-type]

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Take hold of the steps."""
        network: Network = pl_module.network  # type: ignore[assignment]
        self._let_go()
        for index, block in enumerate(network.all_blocks()):
            self.factors.append(0.0)
            for step in block.steps:
                self.hooks.append(step.register_forward_hook(partial(damped, self.factors, index)))

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """
        Raises:
            ValueError: the training ends before all attention is there.
        """
        if self.epochs >= (length := length_in_epochs(trainer)):
            raise Mistake(
                f"ProgressiveAttention(epochs={self.epochs}) must end before the training, which has {length:g} "
                "epochs; the network would never be trained as it is used"
            )

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Set the factors of this step."""
        epoch = trainer.current_epoch + batch_idx / trainer.num_training_batches
        self.factors[:] = factors(epoch / self.epochs, len(self.factors))

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Leave the plain network."""
        self._let_go()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Likewise."""
        self._let_go()

    def _let_go(self) -> None:
        for hook in self.hooks:
            hook.remove()
        self.hooks, self.factors = [], []


def damped(factors: list[float], index: int, step: nn.Module, args: Any, update: Tensor) -> Tensor:
    """The update times its block's factor; itself where that is 1."""
    return update if factors[index] == 1 else update * factors[index]


def factors(progress: float, blocks: int) -> list[float]:
    """Of each block, the lowest first, at `progress` from 0 to 1.

    >>> factors(0.0, 4), factors(0.375, 4), factors(1.0, 4)
    ([0.0, 0.0, 0.0, 0.0], [1.0, 0.5, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0])
    """
    return [min(max(progress * blocks - index, 0.0), 1.0) for index in range(blocks)]
