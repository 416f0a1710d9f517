"""Which parameters decay: weights of layers do; norms, biases, tables and tokens do not."""

from typing import Any

from torch import nn


def parameter_groups(network: nn.Module) -> list[dict[str, Any]]:
    """Two groups for an optimizer: one takes its weight decay, the other has `weight_decay=0`.

    Weights of two or more axes decay (linear layers, convolutions, the patch embedding). Everything else does not:
    norms, biases, position and time tables, class and register tokens. (The official TimeSformer code decays
    everything; DeiT and MAE do as here.)
    """
    decayed: list[nn.Parameter] = []
    kept: list[nn.Parameter] = []
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            is_layer_weight = name.rpartition(".")[2] == "weight" and parameter.ndim >= 2
            (decayed if is_layer_weight else kept).append(parameter)
    return [{"params": decayed}, {"params": kept, "weight_decay": 0.0}]
