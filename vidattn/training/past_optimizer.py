"""The optimizer states of older runs, whose networks had a parameter more: an empty one that never learnt anything."""

from typing import Any

from torch import Tensor

EMPTY = "network.prefix"
"""The tokens before those of the video, where a read-out has none: a buffer today."""


def without_empty_parameter(state: dict[str, Any], trained: int) -> None:
    """Take the empty parameter out of an optimizer's state, in place, and count the others anew.

    It is the one whose moments have no elements or, where it never had a gradient and so has none, the first without
    any among those that do not decay; but only where the state is of one parameter more than are trained.

    Args:
        state: `state_dict` of an optimizer: parameters by number, or by name under FSDP2.
        trained: how many parameters are trained today.
    """
    groups, moments = state["param_groups"], state["state"]
    keys = [key for group in groups for key in group["params"]]
    if len(keys) != trained + 1:
        return
    still = {key for group in groups if group.get("weight_decay") == 0 for key in group["params"]}
    of_none = [key for key in keys if any(_is_empty(value) for value in moments.get(key, {}).values())]
    candidates = [EMPTY] if EMPTY in keys else of_none or [key for key in keys if key in still and key not in moments]
    if not candidates:
        return
    gone = candidates[0]
    moments.pop(gone, None)
    for group in groups:
        group["params"] = [key for key in group["params"] if key != gone]
    if isinstance(gone, int):
        number = {key: new for new, key in enumerate(key for group in groups for key in group["params"])}
        for group in groups:
            group["params"] = [number[key] for key in group["params"]]
        state["state"] = {number[key]: value for key, value in moments.items()}


def _is_empty(value: Any) -> bool:
    return isinstance(value, Tensor) and value.ndim > 0 and not value.numel()
