"""What is about to be trained, and what it costs: printed once, before the first step."""

from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelSummary
from rich.console import Console
from rich.table import Table
from torch import nn

from vidattn.flops.counting import count
from vidattn.models.network import Network
from vidattn.training.module import VideoModule
from vidattn.wording import counted


class Summary(ModelSummary):
    """Parameters, which of them are trained, MACs of a clip, and the memory that a step takes at least.

    In place of Lightning's, which finds no FLOPs in our networks.
    """

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Print it, in the first process."""
        task: VideoModule = pl_module  # type: ignore[assignment]
        if not trainer.is_global_zero:
            return
        batch = getattr(getattr(getattr(trainer, "datamodule", None), "loading", None), "batch_size", 1)
        half = str(trainer.precision).startswith(("16", "bf16"))
        table = Table(title=type(task).__name__, show_header=False, title_justify="left")
        for name, value in rows(task, batch, torch.bfloat16 if half else torch.float32).items():
            table.add_row(name, value)
        Console(soft_wrap=True, markup=False, emoji=False).print(table)


def rows(task: VideoModule, batch: int, dtype: torch.dtype) -> dict[str, str]:
    """What the table says.

    Args:
        task: of whose network it tells.
        batch: clips of a step in one process.
        dtype: what the network computes in.
    """
    config: Any = task.config
    parameters = sum(parameter.numel() for parameter in task.parameters())
    trained = sum(parameter.numel() for parameter in task.parameters() if parameter.requires_grad)
    cost = count(config, batch=batch, dtype=dtype, check=False)
    activations = cost.activation_bytes if trains_backbone(task.network) else 0  # what is frozen keeps none
    # Weights and gradients stay in single precision, also where autocast computes in half.
    held = {"weights": 4 * parameters, "gradients": 4 * trained, "activations": activations}
    return {
        "network": f"{config.title}, {cost.frames}x{cost.height}x{cost.width}",
        "parameters": f"{parameters:,}",
        "trained": "all of them" if trained == parameters else f"{trained:,}: {', '.join(trained_parts(task.network))}",
        "MACs per clip": f"{cost.macs:,} (1 MAC = 2 FLOPs)",
        "memory of a step": f"{gigabytes(sum(held.values()))} for {counted(batch, 'clip')} ("
        + ", ".join(f"{name} {gigabytes(size)}" for name, size in held.items())
        + "), the optimizer's aside",
    }


def trained_parts(network: nn.Module) -> list[str]:
    """The parts of the network that are trained, by their names in it.

    >>> network = nn.ModuleDict({"body": nn.Linear(2, 2).requires_grad_(False), "head": nn.Linear(2, 2)})
    >>> trained_parts(network)
    ['head']
    """
    return [name for name, part in network.named_children() if any(one.requires_grad for one in part.parameters())]


def trains_backbone(network: Network) -> bool:
    """Whether anything before the read-out is trained."""
    ends = {id(parameter) for part in network.ends() for parameter in part.parameters()}
    return any(parameter.requires_grad and id(parameter) not in ends for parameter in network.parameters())


def gigabytes(size: int) -> str:
    """Bytes in words.

    >>> gigabytes(3 * 2**20), gigabytes(5 * 2**30 // 2)
    ('3 MiB', '2.5 GiB')
    """
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{-(-size // 2**20)} MiB"
