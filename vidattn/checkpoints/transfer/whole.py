"""Weights that only fit a network of the same class: all are taken as they are, but for another head."""

from dataclasses import fields

import torch
from torch import Tensor, nn

from vidattn.checkpoints.renaming import WeightsError
from vidattn.checkpoints.saved import Saved
from vidattn.models.network import NetworkConfig
from vidattn.public import public_path


def carried_whole(saved: Saved, network: nn.Module, config: NetworkConfig) -> tuple[dict[str, Tensor], list[str]]:
    """A complete state dict for `network`, and a line for each difference from what was saved.

    Args:
        saved: the checkpoint.
        network: the network to fill; a head for another number of classes keeps its fresh weights.
        config: its configuration.

    Raises:
        WeightsError: the checkpoint is of another kind of network, or of one with other numbers.
    """
    if type(saved.config) is not type(config):
        raise WeightsError(
            f"the file holds a network of {public_path(type(saved.config))}, and this one is of "
            f"{public_path(type(config))}; weights pass only between networks of one kind"
        )
    names = [field.name for field in fields(config) if field.name != "num_classes"]  # type: ignore[arg-type]
    different = [
        f"{name}={getattr(saved.config, name)!r} in the file, {getattr(config, name)!r} here"
        for name in names
        if getattr(saved.config, name) != getattr(config, name)
    ]
    if different:
        raise WeightsError(f"the networks differ: {'; '.join(different)}; take the file's")
    fresh, report = dict(network.state_dict()), []
    state = fresh | saved.state
    if saved.config.num_classes != config.num_classes or "head.weight" not in saved.state:
        state |= {name: value for name, value in fresh.items() if name.startswith("head.")}
        report.append(f"head: reset, {saved.config.num_classes} classes -> {config.num_classes}")
    if broken := [name for name, value in state.items() if not torch.isfinite(value).all()]:
        raise WeightsError(f"{broken[0]} holds nan or inf; take a checkpoint from before its training went wrong")
    return state, report
