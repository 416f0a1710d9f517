"""Networks without weights: shapes only, so that counting a giant takes no memory and a fraction of a second."""

import copy
from dataclasses import replace
from typing import TypeVar

import torch
from torch import nn

from vidattn.models.network import Network, NetworkConfig


def network_on_meta(source: Network | NetworkConfig, dtype: torch.dtype = torch.float32) -> Network:
    """The network of a configuration, or the twin of a network, on the meta device and in training mode.

    Blocks of the twin are not recomputed in the backward pass, whatever the configuration says.

    Args:
        source: a network, which stays as it is, or a configuration.
        dtype: type of the twin's weights.
    """
    if isinstance(source, NetworkConfig):
        with torch.device("meta"):
            network = source.build()
    else:
        network = without_weights(source)
    for module in network.modules():
        config = getattr(module, "config", None)
        if isinstance(config, NetworkConfig) and config.gradient_checkpointing:
            module.config = replace(config, gradient_checkpointing=False)  # type: ignore
    return network.to(dtype).train()


Module = TypeVar("Module", bound=nn.Module)


def without_weights(module: Module) -> Module:
    """A copy of `module` whose parameters and buffers are shapes on the meta device; nothing is copied to get there."""
    shapes: dict[int, torch.Tensor] = {}
    for parameter in module.parameters():
        empty = torch.empty_like(parameter, device="meta")
        shapes[id(parameter)] = nn.Parameter(empty, requires_grad=parameter.requires_grad)
    for buffer in module.buffers():
        shapes[id(buffer)] = torch.empty_like(buffer, device="meta")
    return copy.deepcopy(module, shapes)
