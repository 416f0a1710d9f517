"""An import path stands wherever the name of a part may."""

import dataclasses

import pytest
import torch
from golden import SMALL
from torch import nn

import vidattn
from vidattn.flops import count
from vidattn.models.readout import ReadOut


class MaxPooling(ReadOut):
    num_prefix = 0

    def forward(self, x):
        return x.amax(1)


class Diagonal(nn.Module):
    """One number per token: its place in the sum of its coordinates."""

    def __init__(self, dim, grid):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(dim))

    def forward(self, grid):
        return (grid.positions().clamp(min=0).sum(-1)[:, None] * self.scale)[None]


@pytest.mark.parametrize(
    ("field", "path", "found"),
    [
        ("pooling", f"{__name__}.MaxPooling", lambda net: isinstance(net.readout, MaxPooling)),
        ("position", f"{__name__}.Diagonal", lambda net: isinstance(net.position, Diagonal)),
        ("norm", "torch.nn.RMSNorm", lambda net: isinstance(net.blocks[0].norms[0], nn.RMSNorm)),
        ("activation", "torch.nn.SiLU", lambda net: isinstance(net.blocks[0].mlp.activation, nn.SiLU)),
        ("activation", "torch.nn.functional.relu", lambda net: net.blocks[0].mlp.activation is nn.functional.relu),
    ],
)
def test_a_strangers_part_is_built_trained_and_counted(field, path, found):
    config = dataclasses.replace(SMALL, **{field: path})
    network = vidattn.build_network(config)
    assert found(network)
    network(torch.randn(2, 3, 4, 32, 32)).sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert count(config).macs == network.macs(4, 32, 32).total


@pytest.mark.parametrize("field", ["pooling", "position", "norm", "activation"])
def test_what_cannot_be_imported_or_is_no_part_is_named(field):
    with pytest.raises(ValueError, match=rf"{field}='nowhere\.Nothing': cannot import"):
        dataclasses.replace(SMALL, **{field: "nowhere.Nothing"})
    with pytest.raises(ValueError, match=rf"{field}='math\.pi'"):
        dataclasses.replace(SMALL, **{field: "math.pi"})


@pytest.mark.parametrize("std", [0.02, 0.2])
@pytest.mark.parametrize("attention", ["divided", "joint", "time+map", "trajectory", "space>time(1)"])
def test_fresh_linear_layers_have_the_standard_deviation_that_is_asked_for(attention, std):
    config = dataclasses.replace(SMALL, embed_dim=96, init_std=std, attention=attention, pooling="mean")
    for block in vidattn.build_network(config).all_blocks():
        for layer in block.modules():
            if isinstance(layer, nn.Linear) and layer.weight.any():
                assert layer.weight.std().item() == pytest.approx(std, rel=0.05)
