"""The blocks of a network, filled from those of another one, which may have other steps."""

import torch
from torch import Tensor, nn

from vidattn.checkpoints.transfer.account import Account, late_depth
from vidattn.checkpoints.transfer.position_tables import resized_map
from vidattn.checkpoints.transfer.same_function import step_lines
from vidattn.checkpoints.transfer.steps import WeightSource, differ_by_output_layer, kind, role, weight_sources
from vidattn.models.config import VideoTransformerConfig


def carry_blocks(account: Account, network: nn.Module) -> None:
    """Each block from the block of the same index."""
    old, new = account.trained, account.config
    assert isinstance(old, VideoTransformerConfig)
    assert isinstance(new, VideoTransformerConfig)
    with torch.device("meta"):
        source = old.build()
    for index in range(new.depth):
        theirs, ours = f"{account.theirs}blocks.{index}.", f"{account.ours}blocks.{index}."
        before, block = source.get_submodule(theirs[:-1]), network.get_submodule(ours[:-1])
        matches = carry_block(account, before, block, theirs, ours)
        if index == 0:
            trained, wanted = list(before.steps.children()), list(block.steps.children())  # type: ignore[union-attr]
            account.report += step_lines(old, new, trained, wanted, matches)


def carry_block(account: Account, before: nn.Module, block: nn.Module, theirs: str, ours: str) -> list[WeightSource]:
    """All of one block, of which the steps may be others; where the weights of each come from.

    Args:
        account: of the two networks.
        before: the checkpoint's block.
        block: the network's.
        theirs: how names of the one begin.
        ours: how names of the other begin.
    """
    trained, wanted = list(before.steps.children()), list(block.steps.children())  # type: ignore[union-attr]
    for layer in [name for name, _ in block.named_children() if name not in ("norms", "steps")]:
        account.layer(theirs + layer, ours + layer)
    matches = weight_sources(trained, wanted)
    for place, (step, found) in enumerate(zip(wanted, matches, strict=True)):
        if found.source is not None:
            account.layer(f"{theirs}norms.{found.source}", f"{ours}norms.{place}")
            _carry_step(account, trained[found.source], f"{theirs}steps.{found.source}.", step, f"{ours}steps.{place}.")
        if found.silent:
            account.zero_output(f"{ours}steps.{place}.", role(step).outputs)
    return matches


def _carry_step(account: Account, trained: nn.Module, theirs: str, step: nn.Module, ours: str) -> None:
    """The step `ours` from the step `theirs` that was found for it."""
    if kind(trained) is kind(step):
        account.layer(theirs, ours)
        return
    source, target = role(trained).attention, role(step).attention
    for part in ("qkv", "query_key", "proj"):
        account.layer(f"{theirs}{source}{part}", f"{ours}{target}{part}")
    if differ_by_output_layer(trained, step):
        _carry_closing(account, f"{theirs}fc", f"{ours}fc", f"{theirs}{source}proj", f"{ours}{target}proj")


def _carry_closing(account: Account, their_fc: str, our_fc: str, their_proj: str, our_proj: str) -> None:
    """Between a step with a linear layer `fc` behind its projection and one without: the same function."""
    if f"{their_fc}.weight" in account.old:  # fc(proj(x)) is one linear layer
        names = [f"{layer}.{part}" for layer in (their_fc, their_proj) for part in ("weight", "bias")]
        fc, fc_bias, proj, proj_bias = (account.old[name].double() for name in names)
        account.put(f"{our_proj}.weight", (fc @ proj).float(), *names)
        account.put(f"{our_proj}.bias", (fc @ proj_bias + fc_bias).float())
    else:
        weight: Tensor = account.state[f"{our_fc}.weight"]
        account.put(f"{our_fc}.weight", torch.eye(len(weight)))
        account.put(f"{our_fc}.bias", torch.zeros(len(weight)))


def carry_late_blocks(account: Account) -> None:
    """The temporal stage of a factorised encoder; blocks that the file does not have do nothing at first."""
    late, trained = late_depth(account.config), late_depth(account.trained)
    if not late:
        return
    stage = [name for name in account.state if name.startswith("temporal.")]
    if not trained:
        account.report.append(
            f"temporal: {late} fresh blocks on frames, so the network computes something else at first"
        )
        account.mark_filled(*stage)
        return
    table = "temporal.position.table"
    old, new = account.trained.native_grid.frames, account.config.native_grid.frames
    for name in stage:
        if name != table:
            account.take(name, name)
    if table in account.old and table in account.state:
        resized = resized_map(account.old[table], (1, old), (1, new)) if old != new else account.old[table]
        account.put(table, resized, table)
        account.report += [f"{table}: resized, {old} frames -> {new}, bicubic"] if old != new else []
    for block in range(trained, late):
        account.zero_output(f"temporal.blocks.{block}.", ("steps.0.attn.proj", "mlp.fc2"))
        account.report.append(f"temporal block {block}: fresh, does nothing at first")
        account.mark_filled(*(name for name in stage if name.startswith(f"temporal.blocks.{block}.")))
