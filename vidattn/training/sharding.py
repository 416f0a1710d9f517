"""Weights in pieces, one of each process (FSDP2): put together to evaluate and to be written, and taken apart again."""

import copy
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.strategies import FSDPStrategy, ModelParallelStrategy, Strategy
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import FSDPModule, fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor, distribute_tensor

from vidattn.mistakes import Mistake
from vidattn.models.network import Network
from vidattn.training.past_optimizer import moments_by_name

FSDP2_ARGUMENTS = (
    "--trainer.strategy ModelParallelStrategy --trainer.strategy.data_parallel_size <processes> "
    "--trainer.strategy.tensor_parallel_size 1 --trainer.strategy.save_distributed_checkpoint false"
)


def check_strategy(strategy: Strategy, mesh: DeviceMesh | None) -> None:
    """
    Raises:
        ValueError: the strategy would split layers (tensor parallelism), or it is the older FSDP.
    """
    if isinstance(strategy, FSDPStrategy):
        # It flattens the parameters, so that nobody can tell any more which of them decay.
        raise Mistake(f"strategy: fsdp is not supported, FSDP2 is: {FSDP2_ARGUMENTS}")
    if mesh is not None and mesh["tensor_parallel"].size() > 1:
        raise Mistake(f"vidattn does not split layers over processes; use {FSDP2_ARGUMENTS}")


def split(networks: Iterable[nn.Module], mesh: DeviceMesh, without_head: bool) -> None:
    """Split the weights of each network over the processes, block by block; nothing where that is done.

    Args:
        mesh: the processes.
        without_head: whether `features` and `read` of the networks are called, and never the networks.
    """
    for network in networks:
        if isinstance(network, FSDPModule):
            continue
        for block in network.all_blocks() if isinstance(network, Network) else ():
            fully_shard(block, mesh=mesh)
        fully_shard(network, mesh=mesh)
        # Not where the network itself is called: its weights would be cut again within the call.
        if without_head and isinstance(network, Network):
            register_fsdp_forward_method(network, "features")
            register_fsdp_forward_method(network, "read")


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
    return {name: cut_as(ours.get(name), value) for name, value in state.items()}


def cut_as(here: Any, value: Any) -> Any:
    """`value` in pieces as `here`, where that is in pieces and `value` is a whole tensor of the same shape."""
    whole = isinstance(value, Tensor) and not isinstance(value, DTensor)
    if not (whole and isinstance(here, DTensor) and value.shape == here.shape):
        return value
    return distribute_tensor(value.to(here.device), here.device_mesh, here.placements)


def read_as_others_do(strategy: ModelParallelStrategy) -> None:
    """Let FSDP2 go on from any checkpoint in one file, also from one that a single process or DDP has written.

    Lightning's way of reading takes the numbers under which an optimizer keeps its moments for places among all
    parameters of the network. Those of ours are counted by group, decayed or not, so the moments would go to other
    parameters; and it wants moments of every parameter, where a frozen one has none.
    """
    strategy.load_checkpoint = partial(load_checkpoint, strategy)  # type: ignore[method-assign]


def load_checkpoint(
    strategy: ModelParallelStrategy, checkpoint_path: Any, weights_only: bool | None = None
) -> dict[str, Any]:
    """What a checkpoint holds beside the weights; these and the moments of the optimizers are put where they belong.

    Args:
        strategy: set up, with its optimizers.
        checkpoint_path: a file, or a folder that `save_distributed_checkpoint` has written.
        weights_only: see `torch.load`.
    """
    path = Path(strategy.broadcast(checkpoint_path))
    if path.is_dir():
        return type(strategy).load_checkpoint(strategy, path, weights_only)
    module: Any = strategy.lightning_module
    checkpoint = torch.load(path, mmap=True, map_location="cpu", weights_only=weights_only)
    weights = checkpoint.pop("state_dict")
    module.load_state_dict(weights)
    for optimizer, saved in zip(strategy.optimizers, checkpoint.get("optimizer_states", []), strict=False):
        state = moments_by_name(saved, list(weights), optimizer, module)
        keys = [key for group in state["param_groups"] for key in group["params"]]
        ours = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        moments = {
            key: {name: cut_as(parameter, value) for name, value in state["state"][key].items()}
            for key, parameter in zip(keys, ours, strict=False)
            if key in state["state"]
        }
        optimizer.load_state_dict(state | {"state": moments})
    return checkpoint


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
