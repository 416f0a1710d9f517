"""The second opinion: every module's declared cost against what `FlopCounterMode` sees it do."""

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from vidattn.flops.weightless import network_on_meta
from vidattn.mistakes import Mistake
from vidattn.models.network import Network
from vidattn.models.presets import Schemed


class CountError(Mistake):
    """A module costs something else than it declares."""


def check_macs(network: Network, frames: int, height: int, width: int, batch: int = 1) -> None:
    """Run `network` on clips without pixels and compare: the whole, and each module in it that has a
    `macs_of_call`.

    Args:
        network: a network on the meta device, where fused attention is counted too (on CPU it counts as nothing).
        frames: frames of a clip.
        height: of the clip in pixels.
        width: of the clip in pixels.
        batch: clips at once.

    Raises:
        CountError: a declared cost is not the measured one; the message names the innermost such module.
    """
    declared = {"": batch * network.macs(frames, height, width).total}
    names = {module: name for name, module in network.named_modules()}

    def note(module: nn.Module, inputs: tuple, output: Tensor) -> None:
        declared[names[module]] = declared.get(names[module], 0) + module.macs_of_call(inputs, output).total  # type: ignore

    handles = [module.register_forward_hook(note) for module in network.modules() if hasattr(module, "macs_of_call")]
    try:
        with torch.device("meta"), FlopCounterMode(display=False) as counter:
            network(torch.empty(batch, 3, frames, height, width, dtype=next(network.parameters()).dtype))
    finally:
        for handle in handles:
            handle.remove()

    counts = counter.get_flop_counts()
    root = type(network).__name__
    for name in sorted(declared, key=lambda name: -name.count(".") if name else 1):  # innermost first, the whole last
        measured, odd = divmod(sum(counts.get(f"{root}.{name}" if name else root, {}).values()), 2)
        if odd or measured != declared[name]:
            module = network.get_submodule(name)
            raise CountError(
                f"{name or 'the network'} ({type(module).__module__}.{type(module).__name__}) declares "
                f"{declared[name]:,} MACs and does {measured:,} on {batch} clip(s) of {frames} x {height} x {width}; "
                "correct its macs()"
            )


def check_scheme(config: Schemed) -> None:
    """As `check_macs`, for a configuration's scheme: two of its blocks (or of each stage), on one of the clips
    that it is made for.

    Two blocks hold every step, windows in their place and shifted. Takes less than a tenth of a second for most.

    Raises:
        CountError: as in `check_macs`.
    """
    check_macs(network_on_meta(config.shallow(2)), config.num_frames, *config.size)
