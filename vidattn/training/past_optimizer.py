"""The moments of an optimizer, given to the parameters that they are of, in whatever order these once were."""

from collections.abc import Sequence
from typing import Any

from torch import nn
from torch.optim import Optimizer

EMPTY = "network.prefix"
"""The tokens before those of the video, where a read-out has none: once an empty parameter, a buffer today."""


def moments_by_name(
    saved: dict[str, Any], written: Sequence[str], optimizer: Optimizer, module: nn.Module
) -> dict[str, Any]:
    """An optimizer's state as it was saved, its parameters in today's order.

    Within each group a state counts parameters in the order in which the network had them when it was written. So do
    the names of the weights beside it; a checkpoint holds no others. Where a group had one parameter more, that was
    the empty one.

    Args:
        saved: `state_dict` of an optimizer.
        written: names of all weights in the checkpoint, in their order there.
        optimizer: that the state is for.
        module: whose parameters it trains.
    """
    names = {id(parameter): name for name, parameter in module.named_parameters()}
    place = {name: number for number, name in enumerate(written)}
    groups = []
    for group, ours in zip(saved["param_groups"], optimizer.param_groups, strict=False):
        today = [names[id(parameter)] for parameter in ours["params"]]
        more = [EMPTY] if len(group["params"]) == len(today) + 1 and EMPTY in place and EMPTY not in today else []
        then = sorted([*today, *more], key=lambda name: place.get(name, len(place)))
        if len(then) != len(group["params"]):
            return saved  # which torch refuses
        key = dict(zip(then, group["params"], strict=True))
        groups.append(group | {"params": [key[name] for name in today]})
    groups += saved["param_groups"][len(groups) :]
    known = {key for group in groups for key in group["params"]}
    return saved | {
        "param_groups": groups,
        "state": {key: saved["state"][key] for key in saved["state"] if key in known},
    }
