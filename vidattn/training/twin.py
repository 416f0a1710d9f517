"""A copy of a task without the trainer that it is bound to."""

import copy
from typing import Any

import pytorch_lightning as pl
from torch.distributed.fsdp import FSDPModule

from vidattn.training.sharding import weights_alone

BOUND = ("_trainer", "_fabric", "_device_mesh")


def without_trainer(module: pl.LightningModule, memo: dict[int, Any]) -> Any:
    """A copy without the trainer, whose locks and connections cannot be copied; of a sharded module its weights alone,
    under their names: what Lightning's averaging of weights needs.

    Args:
        module: the task.
        memo: of `copy.deepcopy`, which asks for the copy.
    """
    if any(isinstance(part, FSDPModule) for part in module.modules()):
        return weights_alone(module)
    twin = type(module).__new__(type(module))
    memo[id(module)] = twin
    memo |= {id(value): None for name, value in module.__dict__.items() if name in BOUND and value is not None}
    own = {name: None if name in BOUND else value for name, value in module.__dict__.items()}
    twin.__dict__ = copy.deepcopy(own, memo)
    return twin
