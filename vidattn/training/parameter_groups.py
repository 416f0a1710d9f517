"""Which parameters decay, and which learn more slowly than others."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from torch import nn

from vidattn.mistakes import Mistake
from vidattn.models.network import Network

Groups = list[dict[str, Any]]
"""What an optimizer is made of: `params`, and what is special about them; `lr_scale` is a factor on the rate."""


class ParameterGroups(ABC):
    """How a task's parameters are handed to its optimizer."""

    @abstractmethod
    def groups(self, task: nn.Module) -> Groups:
        """All parameters that are trained, each in one group.

        Args:
            task: a `VideoModule`, whose network is `task.network`.
        """


@dataclass(frozen=True)
class OneRate(ParameterGroups):
    """One learning rate for all; weights of layers decay, norms, biases, tables and tokens do not."""

    def groups(self, task: nn.Module) -> Groups:
        """Two groups; see `parameter_groups`."""
        return parameter_groups(task)


@dataclass(frozen=True)
class LayerDecay(ParameterGroups):
    """Learning rates that fall from the head to the patches, for networks that were trained before.

    BEiT, https://arxiv.org/abs/2106.08254, appendix; VideoMAE's code, `optim_factory.py`: of L blocks the one with
    index i has `factor ** (L - i)` of the rate, the patch embedding and all tables and tokens `factor ** (L + 1)`, the
    last norm, the read-out and the head all of it. In a network of several stages the blocks are counted through; what
    stands before the blocks of a stage learns like the block before it. What a task trains beside its network has the
    whole rate.

    Args:
        factor: of the rate from one block to the one below it; VideoMAE's are 0.65 to 0.9, 0.75 most often.

    Raises:
        ValueError: `factor` is not above 0, or is above 1.
    """

    factor: float = 0.75

    def __post_init__(self) -> None:
        if not 0 < self.factor <= 1:
            raise Mistake(f"layer decay factor={self.factor} must be above 0 and at most 1; VideoMAE's is 0.75")

    def groups(self, task: nn.Module) -> Groups:
        """Two groups for each layer that has both kinds of parameters, the lowest first."""
        network: Network = task.network  # type: ignore[assignment]
        numbers, top = layer_numbers(network)
        found: dict[tuple[int, bool], list[nn.Parameter]] = {}
        for name, parameter in task.named_parameters():
            if parameter.requires_grad:
                layer = numbers.get(parameter, top)
                found.setdefault((layer, decays(name, parameter)), []).append(parameter)
        return [
            {"params": found[layer, decayed], "lr_scale": self.factor ** (top - layer)}
            | ({} if decayed else {"weight_decay": 0.0})
            for layer, decayed in sorted(found, key=lambda key: (key[0], not key[1]))
        ]


def parameter_groups(network: nn.Module) -> Groups:
    """Two groups for an optimizer: one takes its weight decay, the other has `weight_decay=0`.

    Weights of two or more axes decay (linear layers, convolutions, the patch embedding). Everything else does not:
    norms, biases, position and time tables, class and register tokens. (The official TimeSformer code decays
    everything; DeiT and MAE do as here.)
    """
    trained = [(name, parameter) for name, parameter in network.named_parameters() if parameter.requires_grad]
    decayed = [parameter for name, parameter in trained if decays(name, parameter)]
    kept = [parameter for name, parameter in trained if not decays(name, parameter)]
    return [{"params": decayed}, {"params": kept, "weight_decay": 0.0}]


def decays(name: str, parameter: nn.Parameter) -> bool:
    """Whether a parameter of this name is the weight of a layer."""
    return name.rpartition(".")[2] == "weight" and parameter.ndim >= 2


def layer_numbers(network: Network) -> tuple[dict[nn.Parameter, int], int]:
    """The number of each parameter's layer, 0 for what stands before all blocks and L + 1 for the ends; and L + 1."""
    top = sum(1 for _ in network.all_blocks()) + 1
    numbers = {parameter: top for part in network.ends() for parameter in part.parameters()}
    modules = {module: name for name, module in network.named_modules()}
    before = 0
    starts: dict[str, int] = {}  # of a stage's names -> blocks before it
    for stage in network.layout(network.config.num_frames, *network.config.size):
        home = modules[stage.blocks].rpartition(".")[0]
        starts[home] = before
        for index, block in enumerate(stage.blocks):
            numbers |= dict.fromkeys(block.parameters(), before + index + 1)
        before += len(stage.blocks)
        for part in (stage.readout, getattr(network.get_submodule(home), "norm", None)):  # behind its blocks
            for parameter in part.parameters() if part is not None else ():
                numbers.setdefault(parameter, before)
    homes = sorted(starts, key=len, reverse=True)  # the innermost first
    for name, parameter in network.named_parameters():
        home = next((home for home in homes if not home or name.startswith(f"{home}.")), "")
        numbers.setdefault(parameter, starts.get(home, 0))
    return numbers, top
