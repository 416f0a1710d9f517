"""One term of a scheme: which class a block's step is, and what it is built with."""

import inspect
from dataclasses import dataclass, replace
from typing import Any

from torch import nn

from vidattn.attention.base import ImageAttention, VideoAttention
from vidattn.attention.parts import VIT, Parts
from vidattn.attention.per_frame import PerFrame
from vidattn.grid import Grid


@dataclass(frozen=True)
class Step:
    """One term of a scheme: an attention class, or several that take turns, and the arguments that the spec gives."""

    turns: tuple[type[nn.Module], ...]
    args: tuple[Any, ...] = ()

    def build(
        self, dim: int, num_heads: int, block: int = 0, parts: Parts = VIT, grid: Grid | None = None
    ) -> VideoAttention:
        """The step of the block with this index, at width `dim`; an image block comes wrapped in `PerFrame`.

        All steps have the network's `num_heads` and `parts`, and those with tables of positions (which take the keyword
        `grid`) the tokens that it is made for. An image block has the heads where its class knows that
        argument and the spec does not give it; and a class without the argument `parts` is built of its own.
        """
        cls = self.turns[block % len(self.turns)]
        given = self.arguments(cls, dim, num_heads)
        offered = {"parts": parts, "grid": grid}
        taken = {name: one for name, one in offered.items() if one is not None and takes(cls, name)}
        built = cls(*given.args, **given.kwargs, **taken)
        return PerFrame(built) if isinstance(built, ImageAttention) else built  # type: ignore[return-value]

    def without_output_layer(self) -> "Step":
        """The term that computes the same without a linear layer behind the projection; itself where there is none."""
        return replace(self, turns=tuple(getattr(cls, "without_output_layer", None) or cls for cls in self.turns))

    def arguments(self, cls: type[nn.Module], dim: int, num_heads: int) -> inspect.BoundArguments:
        """All arguments of `cls`, one of the `turns`, but `parts`, by name.

        Raises:
            TypeError: it takes fewer arguments than the spec gives, or more.
        """
        signature = inspect.signature(cls)
        if not issubclass(cls, ImageAttention):
            return signature.bind(dim, num_heads, *self.args)
        given = signature.bind_partial(dim, *self.args).arguments
        heads = {"num_heads": num_heads} if "num_heads" in signature.parameters.keys() - given.keys() else {}
        return signature.bind(dim, *self.args, **heads)


def takes_parts(cls: type[nn.Module]) -> bool:
    """Whether a network can hand its parts to this class."""
    return takes(cls, "parts")


def takes(cls: type[nn.Module], name: str) -> bool:
    """Whether this class takes an argument of this name."""
    return name in inspect.signature(cls).parameters
