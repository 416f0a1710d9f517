"""How a network begins before it has learnt."""

import pytest
import torch
from small_networks import SIZES as SMALL, random_network

from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import build_network


def test_a_fresh_divided_network_sees_each_frame_as_the_image_network_does():
    """temporal_fc starts at zero in every block, so on a still clip divided equals space-only with its weights."""
    torch.manual_seed(0)
    space = random_network("space", depth=3)
    divided = build_network(VideoTransformerConfig(**(SMALL | {"depth": 3}))).eval()
    state = divided.state_dict()
    for name, value in space.state_dict().items():
        state[name.replace("norms.0", "norms.1").replace("steps.0", "steps.1")] = value
    state["time.table"] = torch.zeros_like(state["time.table"])
    divided.load_state_dict(state)
    still = torch.randn(2, 3, 1, 32, 32).expand(-1, -1, 4, -1, -1)
    torch.testing.assert_close(divided(still), space(still), rtol=1e-5, atol=1e-5)


def test_fresh_tables_have_unit_scale():
    """Tables that start near zero never learn direction (the design's trap)."""
    net = build_network(VideoTransformerConfig(**SMALL))
    assert 0.6 < net.time.table.square().mean().sqrt() < 0.8
    assert 0.6 < net.position.table[:, 1:].square().mean().sqrt() < 0.8


def test_init_std_sets_the_scale_of_fresh_layers_and_leaves_zeros():
    block = build_network(VideoTransformerConfig(**(SMALL | {"embed_dim": 128, "init_std": 0.15}))).blocks[0]
    assert block.steps[1].attn.qkv.weight.std().item() == pytest.approx(0.15, rel=0.05)
    assert block.mlp.fc1.weight.std().item() == pytest.approx(0.15, rel=0.05)
    assert not block.steps[0].fc.weight.any()
