"""Weights of each step and head: their mean is what `spread` finds by another way."""

import pytest
import torch
from torch import nn

from vidattn import VideoTransformerConfig, build_network
from vidattn.explain.rollout import recorded
from vidattn.explain.spread import spread
from vidattn.explain.step_weights import of_each_head, step_weights
from vidattn.models.recorder import Recording


def network(attention):
    torch.manual_seed(0)
    numbers = {"num_classes": 3, "num_frames": 4, "image_size": 16, "patch_size": 4}
    made = build_network(VideoTransformerConfig(attention, **numbers, embed_dim=24, depth=2, num_heads=3))
    for weight in made.parameters():
        if weight.ndim > 1:
            nn.init.normal_(weight, std=0.3)
    return made.eval()


def weights_of(made, clip):
    """Those of all steps, for one normalised clip."""
    with torch.no_grad():
        recording, _ = recorded(made, clip, float("inf"))
    return list(step_weights(made, recording, clip.shape[2:], []))


@pytest.mark.parametrize("attention", ["time+space", "joint", "time+width+height", "space|time", "space+cbam"])
def test_the_mean_of_the_heads_is_the_spread_of_the_step(attention):
    made = network(attention)
    clip = torch.randn(1, 3, 4, 16, 16)
    found = weights_of(made, clip)
    steps = [step for block in made.layout(4, 16, 16)[0].blocks for step in block.steps]
    assert len(found) == len(steps)
    with torch.no_grad(), Recording(steps, float("inf")) as recording:
        made(clip)
    for one, step in zip(found, steps, strict=True):
        wanted = spread(step, *recording.visits[step].args)[0]
        torch.testing.assert_close(one.heads.mean(0), wanted, atol=1e-5, rtol=0)
    assert [one.block for one in found] == sorted(one.block for one in found)
    assert any(one.nudged for one in found) == ("cbam" in attention)


def test_heads_of_joint_attention_are_its_softmax():
    made = network("joint")
    (step,) = made.layout(4, 16, 16)[0].blocks[0].steps
    with torch.no_grad(), Recording([step], float("inf")) as recording:
        made(torch.randn(1, 3, 4, 16, 16))
    visit = recording.visits[step]
    torch.testing.assert_close(of_each_head(step, visit), visit.weights[0][0], atol=1e-6, rtol=0)
