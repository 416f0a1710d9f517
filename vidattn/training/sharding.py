"""Weights in pieces, one of each process (FSDP2): put together to evaluate and to be written, and taken apart again."""

import copy
from collections.abc import Mapping
from typing import Any

import pytorch_lightning as pl
from torch import Tensor, nn
from torch.distributed.fsdp import FSDPModule
from torch.distributed.tensor import DTensor, distribute_tensor


class GatherToEvaluate(pl.Callback):
    """Under FSDP2 puts the weights together for an evaluation, and shards them again.

    Processes have different numbers of videos to evaluate. Gathering block by block, one would wait for the others.
    It comes after callbacks that put other weights in (averages) and makes room before they take them out again.
    """

    def on_validation_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Gather."""
        gather(pl_module)

    on_test_epoch_start = on_predict_epoch_start = on_validation_epoch_start

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Shard again after the last batch: at the end of the epoch other callbacks want the pieces back."""
        counts = trainer.num_sanity_val_batches if trainer.sanity_checking else trainer.num_val_batches
        if dataloader_idx + 1 == len(counts) and batch_idx + 1 >= counts[-1]:
            shard(pl_module)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Shard again, whatever came between."""
        shard(pl_module)


def gather(module: nn.Module) -> None:
    """Put the weights together until `shard`. All processes must come here at the same time."""
    for part in module.modules():
        if isinstance(part, FSDPModule):
            part.set_reshard_after_forward(False)
            part.unshard()


def shard(module: nn.Module) -> None:
    """Each process keeps its part alone."""
    for part in module.modules():
        if isinstance(part, FSDPModule):
            part.set_reshard_after_forward(True)
            part.reshard()


def gathered(state: Mapping[str, Any]) -> dict[str, Any]:
    """The whole weights, on the CPU where they were in pieces. All processes must come here at the same time."""
    return {name: value.full_tensor().cpu() if isinstance(value, DTensor) else value for name, value in state.items()}


def distributed_as(ours: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, Any]:
    """Whole weights cut into pieces where the weights of the same name in `ours` are."""
    return {
        name: distribute_tensor(value.to(here.device), here.device_mesh, here.placements)
        if isinstance(here := ours.get(name), DTensor) and isinstance(value, Tensor) and not isinstance(value, DTensor)
        else value
        for name, value in state.items()
    }


def weights_alone(module: nn.Module) -> nn.Module:
    """A tree of empty modules with copies of all parameters and buffers, in their order and under their names."""
    twin = nn.Module()
    for name, parameter in module._parameters.items():
        twin.register_parameter(name, copy.deepcopy(parameter))
    for name, buffer in module._buffers.items():
        twin.register_buffer(name, copy.deepcopy(buffer), name not in module._non_persistent_buffers_set)
    for name, child in module.named_children():
        twin.add_module(name, weights_alone(child))
    return twin
