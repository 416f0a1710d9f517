"""Attention weights of a forward pass, for losses as well as for maps."""

import dataclasses

import pytest
import torch
from golden import SMALL, drawn, filled

import vidattn
from vidattn.models.recorder import Recording


@pytest.mark.parametrize("attention", ["divided", "joint", "linear", "window(2,2,2)", "trajectory"])
def test_weights_are_those_of_the_forward_and_a_loss_on_them_trains(attention):
    network = filled(vidattn.build_network(dataclasses.replace(SMALL, attention=attention, pooling="mean"))).train()
    clips = drawn("recorder", torch.Size((2, 3, 4, 32, 32)))
    plain = network(clips)
    steps = [step for block in network.all_blocks() for step in block.steps]

    with Recording(steps, memory_limit=2**30) as recording:
        logits = network(clips)

    torch.testing.assert_close(logits, plain)
    weights = [weight for visit in recording.visits.values() for weight in visit.weights]
    assert len(recording.visits) == len(steps)
    for weight in weights:
        torch.testing.assert_close(weight.sum(-1), torch.ones_like(weight.sum(-1)))
    first = steps[0].attn.qkv.weight
    (gradient,) = torch.autograd.grad(sum(weight.square().sum() for weight in weights), first)
    assert gradient.abs().max() > 0
