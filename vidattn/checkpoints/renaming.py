"""Carrying weights over by an explicit table of names: what is missing or left over is an error, never a guess."""

from collections.abc import Collection, Mapping, Sequence

import torch
from torch import Tensor, nn

from vidattn.mistakes import Mistake

Names = Mapping[str, str | tuple[str, ...]]
"""Our name -> the source's name. A layer's name stands for its weight and bias; `{i}` stands for a block's index.

Several names stand for tensors that are put together along the first axis: queries, keys and values.
"""


FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
"""Types that weights are stored in; 8 bits need scales beside them, which another network has."""

SHOWN = 20
"""As many names and shapes that are in the way are listed."""


class WeightsError(Mistake):
    """Weights that cannot be read or do not fit the network; the message says what is in the way."""


def renamed(
    weights: Mapping[str, Tensor], names: Names, network: nn.Module, absent: Collection[str] = ()
) -> dict[str, Tensor]:
    """The state dict of `network`, taken from `weights` through the table `names`.

    Args:
        weights: the source's tensors by the source's names.
        names: our names (of layers or of tensors) -> theirs, with `{i}` for the index of a block.
        network: the network to fill; says which names and shapes are wanted.
        absent: layers of ours that the source has not, such as a head; they are not in the result.

    The result has fp32 where the source has half precision, so that what is made of it is not rounded again.

    Raises:
        WeightsError: a name is missing or left over, a shape differs, or the numbers are of a kind that is not weights
            but what a quantisation made of them. Nothing is loaded then.
    """
    wanted = network.state_dict()
    given = {name: value for name, value in wanted.items() if name.rpartition(".")[0] not in absent}
    # A tensor without elements (the prefix where there is none) comes from nowhere.
    state = {name: torch.zeros(value.shape) for name, value in given.items() if not value.numel()}
    table = {name: _source_names(name, names) for name in given if name not in state or name in weights}
    sources = {theirs: ours for ours, several in table.items() for theirs in several}
    problems = [f"missing: {theirs} (for our {ours})" for theirs, ours in sources.items() if theirs not in weights]
    problems += [f"left over: {name}" for name in weights if name not in sources]
    for ours, several in table.items():
        found = [weights[theirs] for theirs in several if theirs in weights]
        if len(found) < len(several):
            continue
        if sum(part.numel() for part in found) != wanted[ours].numel():
            shapes = " and ".join(str(tuple(part.shape)) for part in found)
            problems.append(
                f"shape: {' and '.join(several)} is {shapes}, wanted {tuple(wanted[ours].shape)} for our {ours}"
            )
            continue
        counts = not wanted[ours].is_floating_point()  # the steps that a batch norm has seen
        if strange := [part.dtype for part in found if counts and part.dtype != wanted[ours].dtype]:
            problems.append(f"type: {several[0]} is {strange[0]}, wanted {wanted[ours].dtype} for our {ours}")
            continue
        if strange := [part.dtype for part in found if not counts and part.dtype not in FLOATS]:
            problems.append(f"type: {' and '.join(several)} is {strange[0]}, wanted floats for our {ours}")
            continue
        whole = (found[0] if len(found) == 1 else torch.cat(found)).reshape(wanted[ours].shape)
        state[ours] = whole if counts else whole.to(torch.promote_types(whole.dtype, torch.float32))
    if problems:
        more = [f"... and {len(problems) - SHOWN} more"] if len(problems) > SHOWN else []
        raise WeightsError("the weights do not fit this network:\n  " + "\n  ".join([*problems[:SHOWN], *more]))
    return state


def fitting(weights: Mapping[str, Tensor], network: nn.Module, absent: Collection[str] = ()) -> dict[str, Tensor]:
    """The state dict of `network`, taken from `weights` by our own names; see `renamed`."""
    return renamed(weights, {name: name for name in network.state_dict()}, network, absent)


def of_each(number: int, ours: str, names: Names) -> dict[str, str | tuple[str, ...]]:
    """The table of a layer that a network has several of, written out for each: behind `ours`, which like the source's
    names has `{i}` for the index.

    >>> of_each(2, "readout.{i}", {"norm": "pooler.{i}.ln"})
    {'readout.0.norm': 'pooler.0.ln', 'readout.1.norm': 'pooler.1.ln'}
    """
    table: dict[str, str | tuple[str, ...]] = {}
    for i in range(number):
        for name, theirs in names.items():
            found = (theirs,) if isinstance(theirs, str) else theirs
            several = tuple(one.replace("{i}", str(i)) for one in found)
            table[f"{ours}.{name}".replace("{i}", str(i))] = several[0] if isinstance(theirs, str) else several
    return table


def without(weights: Mapping[str, Tensor], prefixes: Sequence[str], what: str) -> tuple[dict[str, Tensor], list[str]]:
    """The weights without those whose names begin with a prefix, and a line with their number, if there are any."""
    kept = {name: value for name, value in weights.items() if not name.startswith(tuple(prefixes))}
    dropped = len(weights) - len(kept)
    return kept, [f"{what}: left out, {dropped} tensors"] if dropped else []


def _source_names(name: str, names: Names) -> tuple[str, ...]:
    """`blocks.3.mlp.fc1.bias` -> the source's name of block 3's layer, with `.bias`; several where the table has."""
    parts = name.split(".")
    index = parts[1] if parts[0] == "blocks" else ""
    if index:
        parts[1] = "{i}"
    for ours, behind in ((name, ""), (".".join(parts), ""), (".".join(parts[:-1]), f".{parts[-1]}")):
        if ours in names:
            found = names[ours]
            several = (found,) if isinstance(found, str) else found
            return tuple(theirs.replace("{i}", index) + behind for theirs in several)
    raise WeightsError(f"the table of names has no entry for our {name}")
