"""From the network that a checkpoint holds to another one: what has a meaning in both is carried over, and the rest
starts so that the network computes at first what the old one did, where that can be."""

from typing import Literal

import torch
from torch import Tensor, nn

from vidattn.checkpoints.renaming import WeightsError
from vidattn.checkpoints.saved import Saved
from vidattn.checkpoints.transfer.account import Account
from vidattn.checkpoints.transfer.blocks import carry_blocks, carry_late_blocks
from vidattn.checkpoints.transfer.other_clips import for_config
from vidattn.checkpoints.transfer.position_tables import carried_tables
from vidattn.checkpoints.transfer.same_function import changed, check_positions, check_sizes
from vidattn.checkpoints.transfer.stages import account_of
from vidattn.checkpoints.transfer.steps import role
from vidattn.checkpoints.transfer.whole import carried_whole
from vidattn.checkpoints.transfer.window_tables import resize_windows
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.embeddings import average_frames, central_frame
from vidattn.models.hierarchical_config import HierarchicalConfig
from vidattn.models.network import NetworkConfig
from vidattn.models.videoprism import VideoPrismConfig
from vidattn.wording import counted

Inflation = Literal["central", "average"]


def transferred(
    saved: Saved,
    network: nn.Module,
    config: NetworkConfig,
    as_official: bool = False,
    inflation: Inflation = "central",
) -> tuple[dict[str, Tensor], list[str]]:
    """A complete state dict for `network`, and a line for each difference from what was saved.

    Args:
        saved: the checkpoint.
        network: the network to fill; where the checkpoint has nothing, its own weights stay.
        config: its configuration.
        as_official: resize tables as TimeSformer's code does.
        inflation: how a patch of one frame becomes a tubelet.

    Raises:
        WeightsError: the weights do not fit, or are not finite.
    """
    trained = saved.config
    if isinstance(trained, HierarchicalConfig) and isinstance(config, HierarchicalConfig):
        account = account_of(saved, network, config)
        _carry_head(account)
        _check_finite(account)
        return account.state, [*account.report, *account.leftovers()]
    if isinstance(trained, VideoPrismConfig) and isinstance(config, VideoPrismConfig):
        saved, lines = for_config(saved, trained, config)
        state, report = carried_whole(saved, network, config)
        return state, [*lines, *report]
    if not (isinstance(trained, VideoTransformerConfig) and isinstance(config, VideoTransformerConfig)):
        return carried_whole(saved, network, config)
    check_sizes(saved, config)
    check_positions(trained, config)
    account = Account(saved, trained, network, config)
    _carry_head(account)
    if trained.pixels == config.pixels:
        _carry_patch(account, inflation)
    else:
        account.mark_used("patch.weight", "patch.bias")
        account.mark_filled("patch.weight", "patch.bias")
        account.report.append("patch: starts fresh, as it is to see other pixels")
    _carry_prefix(account)
    _carry_tables(account, trained, config, as_official)
    resize_windows(account)
    carry_blocks(account, network)
    carry_late_blocks(account)
    _carry_conditional(account, network, trained.conditional_position, config.conditional_position)
    _carry_rest(account)
    _check_finite(account)
    other = [
        f"{name}: {getattr(saved.config, name)} in the file, {getattr(config, name)} here"
        for name in changed(trained, config)
    ]
    return account.state, [*account.report, *other, *account.leftovers()]


def _carry_head(account: Account) -> None:
    """The same number of classes, or a fresh one."""
    there, old, new = "head.weight" in account.old, account.trained.num_classes, account.config.num_classes
    if there and old == new:
        account.layer("head", "head")
        return
    account.mark_used("head.weight", "head.bias")
    account.mark_filled("head.weight", "head.bias")
    account.report.append(f"head: reset, {f'{old} classes' if there else 'none'} -> {new}")


def _carry_patch(account: Account, inflation: Inflation) -> None:
    """Tubelets of another length: summed to a patch of one frame, and inflated from that."""
    account.take("patch.bias", "patch.bias")
    old, new = account.trained.tubelet_size, account.config.tubelet_size
    weight = account.old["patch.weight"]
    if old != new:
        image = weight if old == 1 else weight.sum(2)
        inflate = central_frame if inflation == "central" else average_frames
        weight = image if new == 1 else inflate(image, new)
        how = "" if new == 1 else f" ({inflation})"
        account.report.append(f"patch: tubelets of {counted(old, 'frame')} -> {new}{how}")
    account.put("patch.weight", weight, "patch.weight")


def _carry_prefix(account: Account) -> None:
    """As many prefix tokens as both have."""
    theirs, ours = f"{account.theirs}prefix", f"{account.ours}prefix"
    old, fresh = account.old[theirs], account.state[ours]
    both = min(old.shape[1], fresh.shape[1])
    account.put(ours, torch.cat((old[:, :both], fresh[:, both:]), dim=1), theirs)


def _carry_tables(
    account: Account, trained: VideoTransformerConfig, config: VideoTransformerConfig, as_official: bool
) -> None:
    """Tables of positions of another size or kind."""
    names = {name: f"{account.theirs}{name}" for name in ("position.table", "time.table")}
    old = {name: account.old[theirs] for name, theirs in names.items() if theirs in account.old}
    wanted = {name for name in names if f"{account.ours}{name}" in account.state}
    found, lines = carried_tables(old, trained, wanted, config, as_official)
    for name, value in found.items():
        account.put(f"{account.ours}{name}", value)
    account.mark_used(*names.values())
    account.report += lines


def _carry_conditional(account: Account, network: nn.Module, old: str, new: str) -> None:
    """The position encoding after the first block: the same kind's, or one that adds nothing at first."""
    if old == new:
        return
    for place, encoding in enumerate(network.get_submodule(f"{account.ours}conditional").children()):
        account.zero_output(f"{account.ours}conditional.{place}.", role(encoding).outputs)
    account.mark_used(*(name for name in account.old if name.startswith(f"{account.theirs}conditional.")))
    how = "left out" if new == "none" else "starts fresh, its output zero"
    account.report.append(f"conditional_position: {old} -> {new}, {how}")


def _carry_rest(account: Account) -> None:
    """All that both networks have by the same name: norms, read-outs, other parts."""
    for name in account.unfilled():
        same = account.theirs + name.removeprefix(account.ours) if name.startswith(account.ours) else name
        if "blocks." not in name and not account.is_used(same):
            account.take(same, name)


def _check_finite(account: Account) -> None:
    """One nan is enough to make all answers nan, and no training heals it."""
    broken = [name for name, value in account.state.items() if not value.isfinite().all()]
    if broken:
        several = f"{broken[0]} and {len(broken) - 1} more hold" if len(broken) > 1 else f"{broken[0]} holds"
        raise WeightsError(f"{several} nan or inf; take a checkpoint from before its training went wrong")
