"""Every read-out that has a name."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from vidattn.grid import Grid
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import build_network
from vidattn.models.readout_table import READOUTS

DIM, HEADS = 24, 3
readouts = pytest.mark.parametrize("name", READOUTS)


@readouts
def test_declared_macs_are_the_measured_ones(name):
    grid = Grid(3, 4, 5, READOUTS[name].num_prefix)
    with torch.device("meta"):
        readout = READOUTS[name](DIM, HEADS)
        with FlopCounterMode(display=False) as counter:
            pooled = readout(torch.empty(2, grid.num_tokens, DIM))
    assert pooled.shape == (2, DIM)
    assert counter.get_total_flops() == 2 * readout.macs(grid).flops


@readouts
@pytest.mark.parametrize("attention", ["divided", "joint", "space"])
def test_a_network_trains_through_it_and_costs_what_is_declared(name, attention):
    torch.manual_seed(0)
    size = {"num_classes": 5, "num_frames": 4, "image_size": 32, "patch_size": 8, "embed_dim": 32, "num_heads": 2}
    net = build_network(VideoTransformerConfig(**size, depth=2, attention=attention, pooling=name))
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.15)
    net(torch.randn(2, 3, 4, 32, 32)).square().sum().backward()
    assert [n for n, p in net.named_parameters() if p.numel() and (p.grad is None or not p.grad.any())] == []
    with FlopCounterMode(display=False) as counter, torch.device("meta"):
        net.to("meta")(torch.empty(2, 3, 5, 24, 40))
    assert counter.get_total_flops() == 2 * net.macs(5, 24, 40).flops
