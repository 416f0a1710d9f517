"""MViTv2 against torchvision's, built for each size, and against a plain loop."""

import pytest
import torch
from torchvision.models.video.mvit import MSBlockConfig, MViT

from vidattn.checkpoints.sources import torchvision_mvit
from vidattn.flops import count
from vidattn.models.presets import build_network, preset


def blocks(depths=(1, 2, 1), width=8):
    """torchvision's settings of blocks: widths and heads double, keys' strides halve from stage to stage."""
    settings, last = [], width
    for stage, depth in enumerate(depths):
        for place in range(depth):
            stride = 2 ** (len(depths) - 1 - stage)
            settings.append(MSBlockConfig(
                2**stage, last, width * 2**stage, [3, 3, 3], [3, 3, 3],
                [1, 2, 2] if stage and not place else [1, 1, 1], [1, stride, stride],
            ))  # fmt: skip
            last = width * 2**stage
    return settings


def theirs_at(frames, height, width, settings=None):
    torch.manual_seed(0)
    theirs = MViT((height, width), frames, settings or blocks(), residual_pool=True, residual_with_cls_embed=False,
                  rel_pos_embed=True, proj_after_attn=True, num_classes=5).eval()  # fmt: skip
    for name, parameter in theirs.named_parameters():
        torch.nn.init.normal_(parameter, 1.0 if "norm" in name and "weight" in name else 0.0, std=0.2)
    return theirs


def ours_of(theirs):
    saved = torchvision_mvit.read(theirs.state_dict(), None)
    network = build_network(saved.config).eval()
    network.load_state_dict(saved.state)
    return network


def test_parameters_and_cost_are_the_published_ones():
    cost = count(preset("mvit-v2-s"))
    assert cost.parameters == 34_537_744
    assert round(cost.macs / 1e9, 3) == 64.224


# Square, wide and high maps; maps that strides do not divide; rows that convolutions round up and tables down.
@pytest.mark.parametrize("size", [(4, 32, 32), (8, 48, 32), (4, 32, 64), (6, 36, 20), (2, 60, 60)])
def test_answers_are_torchvisions_at_its_size(size):
    theirs = theirs_at(*size)
    ours, clips = ours_of(theirs), torch.randn(2, 3, *size)
    with torch.no_grad():
        torch.testing.assert_close(ours(clips), theirs(clips), rtol=1e-5, atol=1e-5)


def test_slopes_are_torchvisions():
    theirs = theirs_at(4, 32, 48).double()
    ours, clips = ours_of(theirs).double(), torch.randn(1, 3, 4, 32, 48, dtype=torch.float64)
    for network in (ours, theirs):
        network(clips).square().sum().backward()
    wanted = dict(theirs.named_parameters())
    names = torchvision_mvit.stage_names((1, 2, 1), torchvision_mvit.LAYERS) | torchvision_mvit.ENDS
    for name, parameter in ours.named_parameters():
        layer, _, part = name.rpartition(".")
        theirs_name = names[name] if name in names else f"{names[layer]}.{part}"
        found = wanted[theirs_name].grad.reshape(parameter.shape)
        torch.testing.assert_close(parameter.grad, found, msg=name)


def test_one_of_the_published_widths_answers_as_torchvisions():
    """The builder takes 224 pixels alone; by hand the class takes the sizes of the published network, and others."""
    settings = []
    stages = [(1, 96, 96, 1, 8), *[(2, 192, 192, 1, 4)] * 2, *[(4, 384, 384, 1, 2)] * 3, *[(8, 768, 768, 1, 1)] * 2]
    last = 96
    for heads, _, width, _, stride in stages:
        queries = [1, 2, 2] if width != last else [1, 1, 1]
        settings.append(MSBlockConfig(heads, last, width, [3, 3, 3], [3, 3, 3], queries, [1, stride, stride]))
        last = width
    theirs = theirs_at(2, 64, 96, settings)
    for parameter in theirs.parameters():
        parameter.data *= 0.2
    ours, clips = ours_of(theirs), torch.randn(1, 3, 2, 64, 96)
    assert ours.config.num_heads == preset("mvit-v2-s").num_heads
    with torch.no_grad():
        torch.testing.assert_close(ours(clips), theirs(clips), rtol=1e-5, atol=1e-5)
