"""Hiera against its authors' package."""

import pytest
import torch
from hiera import Hiera

from vidattn.checkpoints.sources import hiera as source
from vidattn.flops import count
from vidattn.models.presets import PRESETS, build_network, preset

PUBLISHED = {
    "hiera-b": (51_092_560, 101.726),
    "hiera-b-plus": (69_392_240, 132.302),
    "hiera-l": (213_091_600, 412.130),
}


def theirs_at(frames, side, **changes):
    torch.manual_seed(0)
    sizes = {"embed_dim": 8, "num_heads": 1, "stages": (1, 2, 2, 1), "num_classes": 5}
    theirs = Hiera(
        input_size=(frames, side, side), q_stride=(1, 2, 2), mask_unit_size=(1, 8, 8), patch_kernel=(3, 7, 7),
        patch_stride=(2, 4, 4), patch_padding=(1, 3, 3), sep_pos_embed=True, **sizes | changes,
    )  # fmt: skip
    for name, parameter in theirs.named_parameters():
        torch.nn.init.normal_(parameter, 1.0 if "norm" in name and "weight" in name else 0.0, std=0.2)
    return theirs  # in training: its head gives probabilities otherwise, and nothing is dropped


def ours_of(theirs):
    saved = source.read({"model_state": theirs.state_dict()}, None)
    network = build_network(saved.config).eval()
    network.load_state_dict(saved.state)
    return network


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_and_cost_are_the_packages(name):
    cost = count(PRESETS[name], check=False)
    assert (cost.parameters, round(cost.macs / 1e9, 3)) == PUBLISHED[name]


@pytest.mark.parametrize(("frames", "side"), [(4, 64), (8, 32), (2, 96)])
def test_answers_are_the_packages(frames, side):
    theirs = theirs_at(frames, side)
    ours, clips = ours_of(theirs), torch.randn(2, 3, frames, side, side)
    with torch.no_grad():
        torch.testing.assert_close(ours(clips), theirs(clips), rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(ours(clips).softmax(-1), theirs.eval()(clips), rtol=1e-5, atol=1e-5)


def test_slopes_are_the_packages():
    theirs = theirs_at(4, 64).double()
    ours, clips = ours_of(theirs).double(), torch.randn(1, 3, 4, 64, 64, dtype=torch.float64)
    for network in (ours, theirs):
        network(clips).square().sum().backward()
    names = source.stage_names((1, 2, 2, 1), source.LAYERS) | source.ENDS
    for name, parameter in ours.named_parameters():
        layer, _, part = name.rpartition(".")
        theirs_name = names[name] if name in names else f"{names[layer]}.{part}"
        wanted = theirs.get_parameter(theirs_name).grad.reshape(parameter.shape)
        torch.testing.assert_close(parameter.grad, wanted, msg=name)


def test_of_its_own_width_the_answers_are_the_packages():
    theirs = theirs_at(2, 64, embed_dim=96, stages=(1, 1, 1, 1))
    for parameter in theirs.parameters():
        parameter.data *= 0.2
    ours, clips = ours_of(theirs), torch.randn(1, 3, 2, 64, 64)
    assert ours.config.num_heads == preset("hiera-b").num_heads
    with torch.no_grad():
        torch.testing.assert_close(ours(clips), theirs(clips), rtol=1e-5, atol=1e-5)


def test_sizes_that_units_do_not_fill_are_refused_with_the_nearest_that_they_do():
    network = ours_of(theirs_at(4, 64))
    assert network(torch.randn(1, 3, 7, 96, 32)).shape == (1, 5)
    with pytest.raises(ValueError, match=r"input=224x90: 90 pixels .* nearest sizes are 64 and 96"):
        network(torch.randn(1, 3, 4, 224, 90))
