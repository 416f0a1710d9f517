"""Training the end of a network only, for the whole run or for its first epochs."""

from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.strategies import DDPStrategy

from vidattn.mistakes import Mistake
from vidattn.models.network import Network


class FrozenBackbone(pl.Callback):
    """Trains the read-out, the norm behind it and the head; everything before them after `epochs`, or never.

    With `pooling="attentive"` this is V-JEPA's frozen evaluation, https://arxiv.org/abs/2404.08471, section 4.2; with a
    class token, which has no parameters of its own after the blocks, a linear probe. What is frozen computes as in
    evaluation (no dropout, no drop path) and keeps nothing for a backward pass, so a step takes about a third of the
    time and far less memory. Not Lightning's `BaseFinetuning`: that recognises parameters by their values and would
    leave out layers that start equal (at zero, as many of ours do), and forgets which of them decay.

    Args:
        epochs: epochs after which the backbone trains as well; None keeps it as it is to the end.
        backbone_lr: learning rate of the backbone, in multiples of the others'.

    Raises:
        ValueError: an argument is out of range.
    """

    def __init__(self, epochs: int | None = None, backbone_lr: float = 0.1) -> None:
        super().__init__()
        if epochs is not None and epochs < 1:
            raise Mistake(f"epochs={epochs} freezes nothing; give 1 or more, or null for the whole run")
        if backbone_lr <= 0:
            raise Mistake(f"backbone_lr={backbone_lr} must be more than 0; epochs: null keeps the backbone frozen")
        self.epochs = epochs
        self.backbone_lr = backbone_lr
        self._frozen: bool | None = None

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Freeze for good what never trains: the optimizer and the other processes then do not know of it.

        Raises:
            ValueError: DDP would wait for gradients of what is frozen.
        """
        if stage != "fit":
            return
        self._frozen = None
        strategy = trainer.strategy
        if self.epochs is None:
            freeze(pl_module.network)  # type: ignore[arg-type]
        elif isinstance(strategy, DDPStrategy) and not strategy._ddp_kwargs.get("find_unused_parameters"):
            raise Mistake(
                f"FrozenBackbone(epochs={self.epochs}) under DDP needs "
                "--trainer.strategy ddp_find_unused_parameters_true"
            )

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Give the backbone groups of its own in the optimizer, before a checkpoint fills it."""
        if self.epochs is None:
            return
        ours = {id(parameter) for part in pl_module.network.ends() for parameter in part.parameters()}  # type: ignore
        for optimizer in trainer.optimizers:
            backbone, end = [], []
            for group in optimizer.param_groups:
                late = [parameter for parameter in group["params"] if id(parameter) in ours]
                early = [parameter for parameter in group["params"] if id(parameter) not in ours]
                backbone.append(group | {"params": early, "initial_lr": group["initial_lr"] * self.backbone_lr})
                end.append(group | {"params": late})
            optimizer.param_groups = [*backbone, *end]

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any) -> None:
        """Freeze or thaw. Not at the start of an epoch: a run that goes on within one does not come by there."""
        frozen = self.epochs is None or trainer.current_epoch < self.epochs
        if frozen == self._frozen:
            return
        self._frozen = frozen
        if frozen:
            freeze(pl_module.network)  # type: ignore[arg-type]
        else:
            pl_module.network.requires_grad_(True).train()  # type: ignore[union-attr]


def freeze(network: Network) -> None:
    """Put `network` into evaluation mode and let nothing but what follows its backbone train."""
    network.requires_grad_(False).eval()
    for part in network.ends():
        part.requires_grad_(True).train()
