"""Where attention leads through all blocks, compared with a teacher's."""

import pytest
import torch
from taught import learn

from vidattn.training.map_lesson import TeachMaps


def test_the_gradient_of_a_rollout_is_that_of_differences(taught_by):
    module = taught_by("joint", (TeachMaps(),), {"attention": "divided", "embed_dim": 8}, pooling="mean").double()
    module.network.double()
    module.label_weight = 0.0
    parameter = module.network.blocks[0].steps[1].attn.qkv.weight
    _, gradients = learn(module)
    (name,) = (name for name, one in module.named_parameters() if one is parameter)
    place = gradients[name].abs().argmax()
    gradient = gradients[name].flatten()[place].item()
    losses = []
    for nudge in (1e-3, -2e-3):
        with torch.no_grad():
            parameter.view(-1)[place] += nudge
        losses.append(learn(module)[0]["loss"])
    assert gradient == pytest.approx((losses[0] - losses[1]) / 2e-3, rel=1e-2)
