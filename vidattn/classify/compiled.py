"""A network that is compiled once for batches of any length."""

import torch
from torch import Tensor, nn


class Compiled:
    """Calls a network through `torch.compile`: one compilation for all batches of two clips or more of one size.

    Torch compiles for the length of the first batch, for any length at the next one, and always anew for a batch of
    one: three times half a minute where the answers of a list end in 8, 3 and 1. Here the length is open from the
    start, and a single clip goes beside its copy where there is a compiled network for two; it gets one of its own only
    where it comes first.
    """

    def __init__(self, network: nn.Module) -> None:
        network.compile()
        self.network = network
        self._several: set[torch.Size] = set()  # sizes of clips that come in batches

    def __call__(self, clips: Tensor) -> Tensor:
        """`(B, 3, T, S, S)` -> `(B, K)`."""
        size = clips.shape[1:]
        if len(clips) == 1 and size in self._several:
            return self.network(clips.repeat(2, 1, 1, 1, 1))[:1]
        if len(clips) > 1:
            self._several.add(size)
            torch._dynamo.maybe_mark_dynamic(clips, 0)
        return self.network(clips)
