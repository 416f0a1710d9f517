"""Every parameter gets a gradient: several processes wait for the gradients of all."""

import pytest
import torch
from golden import cases

BUILD = cases()


@pytest.mark.parametrize("name", BUILD)
def test_every_parameter_gets_a_gradient(name):
    network = BUILD[name]().train()
    size = (2, 3, 40, 32) if name.startswith("image=") else (2, 3, network.config.num_frames, *network.config.size)
    network(torch.randn(size)).square().sum().backward()
    without = [key for key, parameter in network.named_parameters() if parameter.grad is None]
    assert without == []
    assert all(parameter.numel() for parameter in network.parameters())
