"""A checkpoint as it was written before the networks got one body, and the empty tokens of a read-out became a buffer.

Parameters then came in another order, and so did the moments of the optimizer, which are kept by number.
"""

from pathlib import Path

import torch

EMPTY = "network.prefix"
FIRST = ("network.prefix", "network.readout.", "network.patch.")


def as_before(checkpoint: Path, path: Path) -> Path:
    """Write `checkpoint`, of a run with AdamW in two groups, as an old run would have left it."""
    saved = torch.load(checkpoint, weights_only=True)
    weights = saved["state_dict"]
    names = sorted(weights, key=lambda name: next((n for n, start in enumerate(FIRST) if name.startswith(start)), 9))
    assert names != list(weights)
    saved["state_dict"] = {name: weights[name] for name in names}
    (state,) = saved["optimizer_states"]
    parameters = [name for name in weights if weights[name].numel()]
    groups = [[name for name in parameters if decays(name, weights) is which] for which in (True, False)]
    moments = {
        name: state["state"][number]
        for ours, group in zip(groups, state["param_groups"], strict=True)
        for name, number in zip(ours, group["params"], strict=True)
    }
    then = [[name for name in names if name in group] for group in groups]
    if not weights[EMPTY].numel():
        then[1].insert(0, EMPTY)  # which never had a gradient, and so no moments
    number = {name: place for place, name in enumerate(name for group in then for name in group)}
    for group, ours in zip(state["param_groups"], then, strict=True):
        group["params"] = [number[name] for name in ours]
    state["state"] = {number[name]: values for name, values in moments.items()}
    torch.save(saved, path)
    return path


def decays(name: str, weights: dict[str, torch.Tensor]) -> bool:
    """Whether a parameter is in the first group: weights of layers are."""
    return name.endswith(".weight") and weights[name].ndim >= 2
