"""From the network that a checkpoint holds to another one: what has a meaning in both is carried over, and the rest
starts so that the network computes at first what the old one did, where that can be."""

import re
from collections.abc import Iterable
from dataclasses import asdict
from typing import Literal

import torch
from torch import Tensor, nn

from vidattn.attention.factorised import temporal_depth
from vidattn.attention.scheme import ALIASES, parse_scheme
from vidattn.checkpoints.names import WeightsError
from vidattn.checkpoints.saved import Saved
from vidattn.checkpoints.steps import Match, kind, match, role
from vidattn.checkpoints.tables import carried_tables, resized_map
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.embeddings import average_frames, central_frame
from vidattn.models.presets import build_network

Inflation = Literal["central", "average"]

FIXED = ("embed_dim", "depth", "num_heads", "mlp_ratio", "patch_size")
"""Fields that no other value can be made of."""

ELSEWHERE = (
    *FIXED,
    *("attention", "num_classes", "num_frames", "image_size", "tubelet_size", "position"),
    *("dropout", "drop_path", "gradient_checkpointing", "init_std"),
)
"""Fields whose change is told where it is made, or makes no difference to what the network computes."""


def transferred(
    saved: Saved,
    network: nn.Module,
    config: VideoTransformerConfig,
    as_official: bool = False,
    inflation: Inflation = "central",
) -> tuple[dict[str, Tensor], list[str]]:
    """A complete state dict for `network`, and a line for each thing in it that is not as it was saved.

    Args:
        saved: the checkpoint.
        network: the network to fill; where the checkpoint has nothing, its own weights stay.
        config: its configuration.
        as_official: resize tables as TimeSformer's code does.
        inflation: how a patch of one frame becomes a tubelet.

    Raises:
        WeightsError: the weights do not fit.
    """
    _check(saved, config)
    carrier = _Carrier(saved, network, config)
    carrier.head()
    carrier.patch(inflation)
    carrier.prefix()
    carrier.tables(as_official)
    carrier.blocks()
    carrier.late_blocks()
    carrier.rest()
    return carrier.state, [*carrier.report, *carrier.leftovers()]


class _Carrier:
    """Moves weights from `old` to `state`, keeping account of what was taken and what stayed fresh."""

    def __init__(self, saved: Saved, network: nn.Module, config: VideoTransformerConfig) -> None:
        self.saved, self.config, self.network = saved, config, network
        with torch.device("meta"):
            self.source = build_network(saved.config)
        self.old = saved.state
        self.state = dict(network.state_dict())
        self.used: set[str] = set()
        self.filled: set[str] = set()
        self.report: list[str] = []
        # The spatial stage of a factorised encoder is what other networks are as a whole.
        self.theirs = "spatial." if _late(saved.config) else ""
        self.ours = "spatial." if _late(config) else ""

    def take(self, theirs: str, ours: str) -> None:
        """One tensor, if both have it and it has the same shape; biases of queries, keys and values in any form."""
        value = self._biases(theirs) if theirs not in self.old else self.old[theirs]
        if value is None or ours not in self.state or value.shape != self.state[ours].shape:
            return
        self.state[ours] = value
        self.used.add(theirs)
        self.filled.add(ours)

    def layer(self, theirs: str, ours: str) -> None:
        """All tensors whose names begin with `ours`."""
        for name in self.state:
            if name == ours or name.startswith(ours.removesuffix(".") + "."):
                self.take(theirs + name[len(ours) :], name)

    def put(self, ours: str, value: Tensor, *taken: str) -> None:
        """A tensor that was made of others."""
        self.state[ours] = value.reshape(self.state[ours].shape)
        self.filled.add(ours)
        self.used |= set(taken)

    def silence(self, ours: str, outputs: tuple[str, ...]) -> None:
        """Zero the layers and parameters `outputs`, so that nothing comes out."""
        for output in outputs:
            for name in self.state:
                if name == f"{ours}{output}" or name in (f"{ours}{output}.weight", f"{ours}{output}.bias"):
                    self.state[name] = torch.zeros_like(self.state[name])
                    self.filled.add(name)

    def head(self) -> None:
        """The same number of classes, or a fresh one."""
        old = f"{self.saved.config.num_classes} classes" if "head.weight" in self.old else "none"
        if "head.weight" in self.old and self.saved.config.num_classes == self.config.num_classes:
            self.layer("head", "head")
            return
        self.used |= {"head.weight", "head.bias"}
        self.filled |= {"head.weight", "head.bias"}
        self.report.append(f"head: reset, {old} -> {self.config.num_classes}")

    def patch(self, inflation: Inflation) -> None:
        """Tubelets of another length: summed to a patch of one frame, and inflated from that."""
        self.take("patch.bias", "patch.bias")
        old, new = self.saved.config.tubelet_size, self.config.tubelet_size
        weight = self.old["patch.weight"]
        if old != new:
            image = weight if old == 1 else weight.sum(2)
            inflate = central_frame if inflation == "central" else average_frames
            weight = image if new == 1 else inflate(image, new)
            how = "" if new == 1 else f" ({inflation})"
            self.report.append(f"patch: tubelets of {old} frames -> {new}{how}")
        self.put("patch.weight", weight, "patch.weight")

    def prefix(self) -> None:
        """As many prefix tokens as both have."""
        theirs, ours = f"{self.theirs}prefix", f"{self.ours}prefix"
        both = min(self.old[theirs].shape[1], self.state[ours].shape[1])
        self.put(ours, torch.cat((self.old[theirs][:, :both], self.state[ours][:, both:]), dim=1), theirs)

    def tables(self, as_official: bool) -> None:
        """Tables of positions of another size or kind."""
        names = {name: f"{self.theirs}{name}" for name in ("position.table", "time.table")}
        old = {name: self.old[theirs] for name, theirs in names.items() if theirs in self.old}
        wanted = {name for name in names if f"{self.ours}{name}" in self.state}
        found, lines = carried_tables(old, self.saved.config, wanted, self.config, as_official)
        for name, value in found.items():
            self.put(f"{self.ours}{name}", value)
        self.used |= set(names.values())
        self.report += lines

    def blocks(self) -> None:
        """Each block from the block of the same index."""
        for index in range(self.config.depth):
            theirs, ours = f"{self.theirs}blocks.{index}.", f"{self.ours}blocks.{index}."
            for layer in ("mlp_norm", "mlp"):
                self.layer(theirs + layer, ours + layer)
            trained = list(self.source.get_submodule(f"{theirs}steps").children())
            wanted = list(self.network.get_submodule(f"{ours}steps").children())
            matches = match(trained, wanted)
            for place, (step, found) in enumerate(zip(wanted, matches, strict=True)):
                self.step(step, found, trained, f"{ours}norms.{place}", f"{ours}steps.{place}.", theirs)
            if index == 0:
                self.report += self.told(trained, wanted, matches)

    def step(self, step: nn.Module, found: Match, trained: list[nn.Module], norm: str, ours: str, block: str) -> None:
        """One step of a block, from the step that was found for it."""
        if found.source is not None:
            self.layer(f"{block}norms.{found.source}", norm)
            theirs = f"{block}steps.{found.source}."
            source, target = role(trained[found.source]).attention, role(step).attention
            if found.same:
                self.layer(theirs, ours)
            else:
                for part in ("qkv", "proj"):
                    self.layer(f"{theirs}{source}{part}", f"{ours}{target}{part}")
        if found.silent:
            self.silence(ours, role(step).output)

    def late_blocks(self) -> None:
        """The temporal stage of a factorised encoder; blocks that the file does not have do nothing at first."""
        late, trained = _late(self.config), _late(self.saved.config)
        if not late:
            return
        if not trained:
            self.report.append(
                f"temporal: {late} fresh blocks on frames, so the network computes something else at first"
            )
            self.filled |= {name for name in self.state if name.startswith("temporal.")}
            return
        table = "temporal.position.table"
        old, new = self.saved.config.native_grid.frames, self.config.native_grid.frames
        for name in [one for one in self.state if one.startswith("temporal.") and one != table]:
            self.take(name, name)
        if table in self.old and table in self.state:
            resized = resized_map(self.old[table], (1, old), (1, new)) if old != new else self.old[table]
            self.put(table, resized, table)
            self.report += [f"{table}: resized, {old} frames -> {new}, bicubic"] if old != new else []
        for block in range(trained, late):
            self.silence(f"temporal.blocks.{block}.", ("steps.0.attn.proj", "mlp.fc2"))
            self.report.append(f"temporal block {block}: fresh, does nothing at first")
            self.filled |= {name for name in self.state if name.startswith(f"temporal.blocks.{block}.")}

    def told(self, trained: list[nn.Module], wanted: list[nn.Module], matches: list[Match]) -> list[str]:
        """What became of the steps of a block, and whether the network still computes the same."""
        old, new = self.saved.config, self.config
        if ALIASES.get(old.attention, old.attention) == ALIASES.get(new.attention, new.attention):
            return []
        lines = []
        for place, (step, found) in enumerate(zip(wanted, matches, strict=True)):
            if found.source is None:
                how = "starts fresh" + (", its output zero" if found.silent else "")
            elif found.silent:
                how = f"a copy of {kind(trained[found.source]).__name__}, its output zero"
            else:
                how = f"from {kind(trained[found.source]).__name__}"
            lines.append(f"steps.{place} ({kind(step).__name__}): {how}")
        taken = {found.source for found in matches}
        lines += [
            f"{kind(step).__name__}: not taken over, attention={new.attention} has no place for it"
            for place, step in enumerate(trained)
            if place not in taken
        ]
        return [*lines, self.verdict(matches)]

    def verdict(self, matches: list[Match]) -> str:
        """Whether the network computes at first what the old one did."""
        old, new = self.saved.config, self.config
        change = f"attention: {old.attention} -> {new.attention}, "
        if not self.changed() and old.position == new.position and not _late(old) and not _late(new):
            audible = [
                step for step, found in zip(parse_scheme(new.attention), matches, strict=True) if not found.silent
            ]
            if audible == list(parse_scheme(old.attention)):
                tokens = old.pooling != "mean" and "space" in (old.attention.strip(), new.attention.strip())
                still = (
                    " on clips that stand still (in others each frame had a class token of its own)" if tokens else ""
                )
                return f"{change}computes at first what it did{still}"
        return f"{change}computes something else at first: train it further"

    def changed(self) -> list[str]:
        """Parts of the network that differ, so that it computes something else. Biases of keys make no difference."""
        old, new = asdict(self.saved.config), asdict(self.config)
        return [
            name
            for name in new
            if name not in ELSEWHERE
            and old[name] != new[name]
            and not (name == "qkv_bias" and "none" not in (old[name], new[name]))
        ]

    def rest(self) -> None:
        """All that both networks have by the same name: norms, read-outs, other parts."""
        for name in [one for one in self.state if one not in self.filled and "blocks." not in one]:
            same = self.theirs + name.removeprefix(self.ours) if name.startswith(self.ours) else name
            if same not in self.used:
                self.take(same, name)

    def leftovers(self) -> list[str]:
        """What differs in the configuration, what stayed fresh in the network, and what of the file was not used."""
        lines = [
            f"{name}: {getattr(self.saved.config, name)} in the file, {getattr(self.config, name)} here"
            for name in self.changed()
        ]
        fresh = _grouped(name for name in self.state if name not in self.filled)
        unused = _grouped(name for name in self.old if name not in self.used)
        lines += [f"{name}: starts fresh" for name in fresh]
        return lines + [f"{name}: not taken over" for name in unused]

    def _biases(self, theirs: str) -> Tensor | None:
        """A bias of queries, keys and values in another form than the file's; a key's makes no difference."""
        base, _, wanted = theirs.rpartition(".")
        if not base.endswith("qkv"):
            return None
        whole, parts = f"{base}.bias", (f"{base}.query_bias", f"{base}.value_bias")
        if wanted == "bias" and parts[0] in self.old:
            query, value = (self.old[part] for part in parts)
            self.used |= set(parts)
            return torch.cat((query, torch.zeros_like(query), value))
        if wanted in ("query_bias", "value_bias") and whole in self.old:
            self.used.add(whole)
            return self.old[whole].chunk(3)[0 if wanted == "query_bias" else 2]
        if wanted in ("bias", "query_bias", "value_bias") and f"{base}.weight" in self.old:
            width = self.old[f"{base}.weight"].shape[0]
            return torch.zeros(width if wanted == "bias" else width // 3)
        return None


def _check(saved: Saved, config: VideoTransformerConfig) -> None:
    """Raise unless the two networks are of one size."""
    different = [
        f"{name}={getattr(saved.config, name)} in the file, {getattr(config, name)} here"
        for name in FIXED
        if getattr(saved.config, name) != getattr(config, name) and not (name == "num_heads" and saved.heads_assumed)
    ]
    if different:
        flags = " ".join(f"--model.network.{name} {getattr(saved.config, name)}" for name in FIXED)
        raise WeightsError(f"the sizes differ: {'; '.join(different)}. To start from this file: {flags}")


def _late(config: VideoTransformerConfig) -> int:
    """Blocks of the temporal stage of a factorised encoder; 0 in other networks."""
    return temporal_depth(config.attention) or 0


def _grouped(names: Iterable[str]) -> list[str]:
    """Names with a star for the block's index, each once.

    >>> _grouped(["blocks.0.norms.1.bias", "blocks.1.norms.1.bias"])
    ['blocks.*.norms.1.bias']
    """
    return list(dict.fromkeys(re.sub(r"\bblocks\.\d+", "blocks.*", name) for name in names))
