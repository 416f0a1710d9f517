"""Bookkeeping while weights move from one network to another: which were used, and what kept its fresh weights."""

import re
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from vidattn.checkpoints.saved import Saved
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import Schemed

READOUT, FEW = "readout.", 16
"""How the names of a read-out's tensors begin, and how many of them are listed one by one."""


class Account:
    """Moves tensors from `old` to `state`, by name.

    Attributes:
        saved: the checkpoint.
        trained: its configuration.
        config: the configuration of the network to fill.
        old: the checkpoint's tensors.
        state: the network's; its own until others are put in their place.
        report: a line for each difference from what was saved.
        theirs: prefix of the names in the checkpoint's spatial stage; empty where it has no stages.
        ours: the same of the network. The spatial stage of a factorised encoder is what other networks are as a whole.
    """

    def __init__(self, saved: Saved, trained: Schemed, network: nn.Module, config: Schemed) -> None:
        self.saved, self.trained, self.config = saved, trained, config
        self.old = saved.state
        self.state = dict(network.state_dict())
        self.report: list[str] = []
        self.theirs = "spatial." if late_depth(trained) else ""
        self.ours = "spatial." if late_depth(config) else ""
        self._used: set[str] = set()
        self._filled: set[str] = set()

    def take(self, theirs: str, ours: str) -> None:
        """One tensor, if both have it and it has the same shape; biases of queries, keys and values in any form."""
        value = self._biases(theirs) if theirs not in self.old else self.old[theirs]
        if value is None or ours not in self.state or value.shape != self.state[ours].shape:
            return
        self.state[ours] = value
        self.mark_filled(ours)
        self.mark_used(theirs)

    def layer(self, theirs: str, ours: str) -> None:
        """All tensors whose names begin with `ours`."""
        for name in self.state:
            if name == ours or name.startswith(ours.removesuffix(".") + "."):
                self.take(theirs + name[len(ours) :], name)

    def put(self, ours: str, value: Tensor, *taken: str) -> None:
        """Set a tensor that was made of the tensors `taken` of the checkpoint."""
        self.state[ours] = value.reshape(self.state[ours].shape)
        self.mark_filled(ours)
        self.mark_used(*taken)

    def zero_output(self, ours: str, outputs: Iterable[str]) -> None:
        """Zero the layers and parameters `outputs` of the part `ours`, so that nothing comes out of it."""
        for output in outputs:
            for name in self.state:
                if name == f"{ours}{output}" or name in (f"{ours}{output}.weight", f"{ours}{output}.bias"):
                    self.put(name, torch.zeros_like(self.state[name]))

    def mark_filled(self, *ours: str) -> None:
        """These tensors of the network have their final values, or a line in the report."""
        self._filled |= set(ours)

    def mark_used(self, *theirs: str) -> None:
        """These tensors of the checkpoint have been used, or have a line in the report."""
        self._used |= set(theirs)

    def unfilled(self) -> list[str]:
        """Names of the network's tensors that have not been filled yet."""
        return [name for name in self.state if name not in self._filled]

    def is_used(self, theirs: str) -> bool:
        """Whether this tensor of the checkpoint has been used already."""
        return theirs in self._used

    def leftovers(self) -> list[str]:
        """A line for each tensor that kept its fresh weights, and for each of the checkpoint that was not used; of a
        read-out of many layers one for all."""
        fresh = self.unfilled()
        if len(of_readout := [name for name in fresh if name.startswith(READOUT)]) > FEW:
            fresh = [name for name in fresh if name not in of_readout] + [READOUT.removesuffix(".")]
        lines = [f"{name}: starts fresh" for name in _grouped(fresh)]
        return lines + [
            f"{name}: not taken over" for name in _grouped(name for name in self.old if not self.is_used(name))
        ]

    def _biases(self, theirs: str) -> Tensor | None:
        """A bias of queries, keys and values in another form than the file's; a key's makes no difference."""
        base, _, wanted = theirs.rpartition(".")
        if not base.endswith("qkv"):
            return None
        whole, parts = f"{base}.bias", (f"{base}.query_bias", f"{base}.value_bias")
        if wanted == "bias" and parts[0] in self.old:
            query, value = (self.old[part] for part in parts)
            self.mark_used(*parts)
            return torch.cat((query, torch.zeros_like(query), value))
        if wanted in ("query_bias", "value_bias") and whole in self.old:
            self.mark_used(whole)
            return self.old[whole].chunk(3)[0 if wanted == "query_bias" else 2]
        if wanted in ("bias", "query_bias", "value_bias") and f"{base}.weight" in self.old:
            width = self.old[f"{base}.weight"].shape[0]
            return torch.zeros(width if wanted == "bias" else width // 3)
        return None


def late_depth(config: Schemed) -> int:
    """Blocks of the temporal stage of a factorised encoder; 0 in other networks."""
    return (isinstance(config, VideoTransformerConfig) and config.scheme.temporal_depth) or 0


def _grouped(names: Iterable[str]) -> list[str]:
    """Names with a star for the block's index, each once.

    >>> _grouped(["blocks.0.norms.1.bias", "blocks.1.norms.1.bias"])
    ['blocks.*.norms.1.bias']
    """
    return list(dict.fromkeys(re.sub(r"\bblocks\.\d+", "blocks.*", name) for name in names))
