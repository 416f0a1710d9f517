"""Carrying weights over by an explicit table of names: what is missing or left over is an error, never a guess."""

from collections.abc import Mapping

from torch import Tensor, nn

Names = Mapping[str, str]
"""Our name -> the source's name. A layer's name stands for its weight and bias; `{i}` stands for a block's index."""


class WeightsError(ValueError):
    """Weights that do not fit the network; the message lists every name and shape that is in the way."""


def renamed(weights: Mapping[str, Tensor], names: Names, network: nn.Module) -> dict[str, Tensor]:
    """The state dict of `network`, taken from `weights` through the table `names`.

    Args:
        weights: the source's tensors by the source's names.
        names: our names (of layers or of tensors) -> theirs, with `{i}` for the index of a block.
        network: the network to fill; says which names and shapes are wanted.

    Raises:
        WeightsError: a name is missing or left over, or a shape differs. Nothing is loaded then.
    """
    return _taken(weights, {name: _source_name(name, names) for name in network.state_dict()}, network)


def fitting(weights: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """The state dict of `network`, taken from `weights` by our own names; see `renamed`."""
    return _taken(weights, {name: name for name in network.state_dict()}, network)


def _taken(weights: Mapping[str, Tensor], table: Mapping[str, str], network: nn.Module) -> dict[str, Tensor]:
    """`table`: our name -> theirs, of every tensor."""
    wanted = network.state_dict()
    problems = [f"missing: {theirs} (for our {ours})" for ours, theirs in table.items() if theirs not in weights]
    taken = set(table.values())
    problems += [f"left over: {name}" for name in weights if name not in taken]
    state = {}
    for ours, theirs in table.items():
        if theirs not in weights:
            continue
        if weights[theirs].numel() != wanted[ours].numel():
            shapes = f"{tuple(weights[theirs].shape)}, wanted {tuple(wanted[ours].shape)} for our {ours}"
            problems.append(f"shape: {theirs} is {shapes}")
            continue
        state[ours] = weights[theirs].reshape(wanted[ours].shape)
    if problems:
        raise WeightsError("the weights do not fit this network:\n  " + "\n  ".join(problems))
    return state


def _source_name(name: str, names: Names) -> str:
    """`blocks.3.mlp.fc1.bias` -> the source's name of block 3's layer, with `.bias` behind it."""
    parts = name.split(".")
    index = parts[1] if parts[0] == "blocks" else ""
    if index:
        parts[1] = "{i}"
    for ours, behind in ((".".join(parts), ""), (".".join(parts[:-1]), f".{parts[-1]}")):
        if ours in names:
            return names[ours].replace("{i}", index) + behind
    raise WeightsError(f"the table of names has no entry for our {name}")
