"""From a network in stages to one that differs in its attention, its classes, or the clips that it is made for."""

from dataclasses import fields

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidattn.attention.image.relative import RelativeAttention
from vidattn.attention.relative_positions import resized_offsets
from vidattn.checkpoints.renaming import WeightsError
from vidattn.checkpoints.saved import Saved
from vidattn.checkpoints.transfer.account import Account
from vidattn.checkpoints.transfer.blocks import carry_block
from vidattn.checkpoints.transfer.position_tables import resized_map, resized_time
from vidattn.checkpoints.transfer.same_function import match_lines
from vidattn.checkpoints.transfer.window_tables import resize_windows
from vidattn.models.hierarchical_config import HierarchicalConfig
from vidattn.models.positions import MapTable, resized_bilinearly

FREE = ("attention", "num_classes", "num_frames", "image_size", "dropout", "drop_path", "gradient_checkpointing")
"""Fields that may differ; all others give weights another shape or another meaning."""


def check_same(saved: HierarchicalConfig, config: HierarchicalConfig) -> None:
    """Raise a `WeightsError` unless weights of the one fit the other."""
    different = [
        f"{field.name}={getattr(saved, field.name)!r} in the file, {getattr(config, field.name)!r} here"
        for field in fields(config)
        if field.name not in (*FREE, "init_std") and getattr(saved, field.name) != getattr(config, field.name)
    ]
    if different:
        raise WeightsError(f"the networks differ: {'; '.join(different)}; take the file's")


def account_of(saved: Saved, network: nn.Module, config: HierarchicalConfig) -> Account:
    """What has gone into the network's stages: its head is not looked at.

    Raises:
        WeightsError: the two networks have other widths, depths or parts.
    """
    trained = saved.config
    assert isinstance(trained, HierarchicalConfig)
    check_same(trained, config)
    account = Account(saved, trained, network, config)
    with torch.device("meta"):
        source = trained.build()
    _resize_tables(account, trained, config)
    _resize_maps(account, source, network)
    _resize_relative(account, network)
    resize_windows(account)
    _carry_blocks(account, source, network)
    for name in account.unfilled():
        if ".blocks." not in name and not name.startswith("head."):
            account.take(name, name)
    return account


def _resize_tables(account: Account, trained: HierarchicalConfig, config: HierarchicalConfig) -> None:
    """Tables of positions of clips of another size: places bicubic, times linear, as the network itself does."""
    before, after = trained.native_grid, config.native_grid
    old: dict[str, Tensor] = dict(account.old)
    if "position.table" in old and before[1:3] != after[1:3] and trained.position != "map":
        old["position.table"] = resized_map(old["position.table"], before[1:3], after[1:3])
        account.report.append(f"position.table: resized, {before[1:3]} -> {after[1:3]}, bicubic")
    if "time.table" in old and before.frames != after.frames:
        old["time.table"] = resized_time(old["time.table"], after.frames)
        account.report.append(f"time.table: resized, {before.frames} frames -> {after.frames}, linear")
    count = 0
    for name, wanted in account.state.items():
        if ".relative." in name and name in old and old[name].shape != wanted.shape:
            old[name], count = resized_offsets(old[name].float(), len(wanted)), count + 1
    account.report += [f"relative positions: {count} tables resized, linear"] if count else []
    account.old = old


def _resize_maps(account: Account, source: nn.Module, network: nn.Module) -> None:
    """Tables of places that each stage has: bilinear, as the network itself does."""
    old: dict[str, Tensor] = dict(account.old)
    count = 0
    for name, table in network.named_modules():
        if isinstance(table, MapTable) and f"{name}.table" in old:
            before: MapTable = source.get_submodule(name)  # type: ignore[assignment]
            if before.native != table.native:
                key, count = f"{name}.table", count + 1
                old[key] = resized_bilinearly(old[key], before.native, table.native)
    account.report += [f"position: {count} tables resized, bilinear"] if count else []
    account.old = old


def _resize_relative(account: Account, network: nn.Module) -> None:
    """Tables of offsets between places of a map: bilinear, as the network itself does."""
    old: dict[str, Tensor] = dict(account.old)
    count = 0
    for name, step in network.named_modules():
        table = old.get(f"{name}.table")
        if isinstance(step, RelativeAttention) and table is not None and table.shape[1:] != step.table.shape[1:]:
            size = step.table.shape[1:]
            resized = F.interpolate(table.float()[None], size, mode="bilinear", align_corners=False)
            old[f"{name}.table"], count = resized[0], count + 1
    account.report += [f"relative positions: {count} tables resized, bilinear"] if count else []
    account.old = old


def _carry_blocks(account: Account, source: nn.Module, network: nn.Module) -> None:
    old, new = account.trained, account.config
    assert isinstance(old, HierarchicalConfig)
    assert isinstance(new, HierarchicalConfig)
    same = True
    for stage, depth in enumerate(new.depths):
        for place in range(depth):
            name = f"stages.{stage}.blocks.{place}"
            before, block = source.get_submodule(name), network.get_submodule(name)
            matches = carry_block(account, before, block, f"{name}.", f"{name}.")
            same = same and all(found.same for found in matches)
        if old.schemes[stage] != new.schemes[stage]:
            trained, wanted = list(before.steps.children()), list(block.steps.children())  # type: ignore[union-attr]
            lines = match_lines(trained, wanted, matches, new.attentions[stage])
            account.report += [f"stage {stage}, {line}" for line in lines]
    if old.schemes != new.schemes:
        first = "with the same weights" if same else "computes something else at first: train it further"
        account.report.append(f"attention: {old.title} -> {new.title}, {first}")
