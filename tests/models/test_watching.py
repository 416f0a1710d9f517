"""Weights seen where they arise are those that the recorder keeps, and looking changes nothing."""

import dataclasses

import pytest
import torch
from golden import SMALL, drawn, filled

import vidattn
from vidattn.models.recorder import Recording
from vidattn.models.watching import Watching

CLIPS = drawn("watching", torch.Size((2, 3, 4, 32, 32)))


@pytest.mark.parametrize("rows", [None, 3])
@pytest.mark.parametrize("attention", ["divided", "joint", "window(2,2,2)", "trajectory"])
def test_what_is_seen_is_what_the_recorder_keeps(attention, rows):
    network = filled(vidattn.build_network(dataclasses.replace(SMALL, attention=attention, pooling="mean"))).eval()
    steps = [step for block in network.all_blocks() for step in block.steps]
    with torch.no_grad():
        with Recording(steps, 2**30) as recording:
            kept = network(CLIPS)
        with Watching(steps, lambda step, grid, weights, which: (grid, weights, which), rows, turn=1) as watching:
            seen = network(CLIPS)
        plain = network(CLIPS)
    torch.testing.assert_close(seen, plain)
    torch.testing.assert_close(kept, plain)
    assert list(watching.found) == steps
    for step in steps:
        for whole, (grid, weights, which) in zip(recording.visits[step].weights, watching.found[step], strict=True):
            assert grid == recording.visits[step].args[1]
            assert weights.shape[-2] == min(rows or 10**9, whole.shape[-2])
            torch.testing.assert_close(weights, whole if which is None else whole[..., which, :])


def test_blocks_that_run_again_are_not_counted_twice_and_nothing_stays():
    config = dataclasses.replace(SMALL, attention="divided", gradient_checkpointing=True)
    network = filled(vidattn.build_network(config)).train()
    steps = [step for block in network.all_blocks() for step in block.steps]
    runs = []
    with Watching(steps, lambda step, grid, weights, rows: runs.append(step) or weights.square().mean()) as watching:
        network(CLIPS)
        sum(found[0] for found in watching.found.values()).backward()
    assert len(runs) == 2 * len(steps)
    assert all(len(found) == 1 for found in watching.found.values())
    assert steps[0].attn.qkv.weight.grad.abs().max() > 0
    assert not watching.modes
    assert not any(one._forward_hooks or one._forward_pre_hooks for one in network.modules())
