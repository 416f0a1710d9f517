"""What was done to a network to make it small, as its file says it, and doing so to a network of the same kind."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any

from torch import nn

from vidattn.attention.parts import QueryValueBias
from vidattn.mistakes import Mistake
from vidattn.quantization.e4m3_products import weigh_in_e4m3
from vidattn.quantization.kinds import kind_named
from vidattn.quantization.layer import QuantizedLinear, Range

HEAD = "head"
"""The layer that answers: small, and always left in floating point."""


NARROW = 8
"""Layers with fewer columns than that stay as they are: the scale of a row would take what its weights save."""


@dataclass(frozen=True)
class Quantization:
    """Which linear layers have weights in few bits, and of what kind.

    Args:
        kind: a name of `vidattn.quantization.kinds.KINDS`.
        layers: their names in the network.
        clip: how the ranges of what they are given were found: minmax, percentile, or nothing where that is not asked.
        clips: how many clips that was measured on.

    Raises:
        ValueError: there is no such kind, or no layer.
    """

    kind: str
    layers: tuple[str, ...]
    clip: str = ""
    clips: int = 0

    def __post_init__(self) -> None:
        kind_named(self.kind)
        if not self.layers:
            raise Mistake("quantization without layers; leave it out, or take a network with linear layers")

    def to_dict(self) -> dict[str, Any]:
        """In plain types, as checkpoints hold it."""
        return {**asdict(self), "layers": list(self.layers)}

    @classmethod
    def from_dict(cls, stored: Any) -> "Quantization":
        """What `to_dict` was given.

        Raises:
            ValueError: an entry is of another kind.
        """
        try:
            layers = tuple(str(name) for name in stored["layers"])
            return cls(str(stored["kind"]), layers, str(stored.get("clip", "")), int(stored.get("clips", 0)))
        except (AttributeError, KeyError, TypeError) as error:
            raise Mistake(
                f"quantization={str(stored)[:80]} cannot be read ({type(error).__name__}: {error}); wanted kind and "
                "layers; write the file anew: vidattn quantize"
            ) from None


def linear_layers(network: nn.Module) -> dict[str, nn.Linear | QueryValueBias]:
    """The layers that can be made small, by name: all linear ones but the head, and those of a few columns."""
    return {
        name: part
        for name, part in network.named_modules()
        if isinstance(part, nn.Linear | QueryValueBias)
        and type(part) in (nn.Linear, QueryValueBias)  # what multiplies otherwise stays
        and name.partition(".")[0] != HEAD
        and part.weight.shape[1] >= NARROW
    }


def chosen_layers(network: nn.Module, skip: Sequence[str] = ()) -> list[str]:
    """The names of the layers that are made small, in their order.

    Args:
        network: a whole network.
        skip: patterns of names that stay as they are, such as `blocks.0.*` or `*.mlp.fc2`.

    Raises:
        ValueError: a pattern matches nothing, or nothing is left.
    """
    names = list(linear_layers(network))
    if not names:
        raise Mistake("the network has no linear layers beside its head, so there is nothing to make small")
    for pattern in skip:
        if not any(fnmatchcase(name, pattern) for name in names):
            shown = ", ".join(names[:6]) + (f", ... ({len(names)} in all)" if len(names) > 6 else "")
            raise Mistake(f"skip={pattern!r} matches no linear layer; there are {shown}; * stands for any letters")
    left = [name for name in names if not any(fnmatchcase(name, pattern) for pattern in skip)]
    if not left:
        raise Mistake(f"skip={' '.join(skip)} leaves no linear layer to make small; skip fewer")
    return left


def quantize(network: nn.Module, quantization: Quantization, ranges: Mapping[str, Range] | None = None) -> nn.Module:
    """The network itself, its layers replaced by their small form.

    Args:
        network: in floating point.
        quantization: what to do.
        ranges: what each layer will be given, where the kind needs to know; see `vidattn.quantization.ranges`.

    Raises:
        ValueError: torchao is missing.
    """
    kind, parts = kind_named(quantization.kind), linear_layers(network)
    made = {name: kind.of(parts[name], None if ranges is None else ranges[name]) for name in quantization.layers}
    return _put(network, made, kind)


def rebuilt(network: nn.Module, quantization: Quantization) -> nn.Module:
    """The network itself with empty layers in place of those that were made small: a state dict fills them.

    Raises:
        ValueError: the network has no such layers.
    """
    kind, parts = kind_named(quantization.kind), linear_layers(network)
    if absent := [name for name in quantization.layers if name not in parts]:
        raise Mistake(f"quantization: the network has no linear layer {absent[0]}; it is of another network")
    made: dict[str, QuantizedLinear] = {}
    for name in quantization.layers:
        rows, columns = parts[name].weight.shape
        with parts[name].weight.device:
            made[name] = kind(columns, rows, parts[name].bias is not None)
    return _put(network, made, kind)


def is_quantized(network: nn.Module) -> bool:
    """Whether a network has layers of few bits."""
    return any(isinstance(part, QuantizedLinear) for part in network.modules())


def put(network: nn.Module, parts: Mapping[str, nn.Module]) -> None:
    """Put modules into a network, by their names."""
    for name, part in parts.items():
        above, _, last = name.rpartition(".")
        setattr(network.get_submodule(above), last, part.train(network.training))


def _put(network: nn.Module, made: Mapping[str, QuantizedLinear], kind: type[QuantizedLinear]) -> nn.Module:
    put(network, made)
    if kind.products_in_e4m3:
        weigh_in_e4m3(network)
    return network


def num_weights(network: nn.Module) -> int:
    """How many numbers a network has learnt, in however many bits they are kept."""
    small = [part for part in network.modules() if isinstance(part, QuantizedLinear)]
    hidden = sum(part.in_features * part.out_features + (part.bias is not None) * part.out_features for part in small)
    return hidden + sum(parameter.numel() for parameter in network.parameters())
