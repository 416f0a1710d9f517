import pytest
import torch
from torch import nn

from vidattn.attention.image.axial import AxialAttention, CrissCrossAttention


def randomise(block: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    for parameter in block.parameters():
        nn.init.normal_(parameter, std=0.3)
    return block.double()


def assert_same_value_and_slope(block, x, expected):
    torch.testing.assert_close(block(x), expected)
    weights = torch.randn_like(x)
    (slope,) = torch.autograd.grad((block(x) * weights).sum(), x)
    torch.testing.assert_close(slope, torch.autograd.grad((expected * weights).sum(), x)[0])


def test_axial_is_a_loop_over_rows_then_one_over_columns():
    block = randomise(AxialAttention(24, num_heads=3))
    references = []
    for attention in (block.rows, block.columns):
        reference = nn.MultiheadAttention(24, 3, batch_first=True, dtype=torch.float64)
        reference.in_proj_weight.data, reference.in_proj_bias.data = attention.qkv.weight.data, attention.qkv.bias.data
        reference.out_proj.load_state_dict(attention.proj.state_dict())
        references.append(reference)
    x = torch.randn(2, 24, 4, 5, dtype=torch.float64, requires_grad=True)

    lines = [x[:, :, row].mT for row in range(4)]
    mixed = torch.stack([references[0](line, line, line)[0].mT for line in lines], dim=2)
    lines = [mixed[..., column].mT for column in range(5)]
    expected = torch.stack([references[1](line, line, line)[0].mT for line in lines], dim=3)

    assert_same_value_and_slope(block, x, expected)


def test_axial_has_the_reference_parameters_and_macs():
    block = AxialAttention(768)
    assert sum(parameter.numel() for parameter in block.parameters()) == 4_724_736
    # The reference row "ViViT-3" is axial attention over 8 frames x 196 locations.
    assert block.macs(8, 196).total == 7_890_075_648


def test_criss_cross_is_one_softmax_over_the_cross():
    block = randomise(CrissCrossAttention(16))
    x = torch.randn(1, 16, 3, 4, dtype=torch.float64, requires_grad=True)
    expected = torch.empty(1, 16, 3, 4, dtype=torch.float64)
    q, k, v = block.qkv(x[0].permute(1, 2, 0)).split((2, 2, 16), dim=-1)
    for row in range(3):
        for column in range(4):
            cross = {(row, other) for other in range(4)} | {(other, column) for other in range(3)}
            assert len(cross) == 3 + 4 - 1
            weights = torch.stack([q[row, column] @ k[place] for place in cross]).softmax(0)
            mixed = sum(weight * v[place] for weight, place in zip(weights, cross, strict=True))
            expected[0, :, row, column] = x[0, :, row, column] + mixed

    assert_same_value_and_slope(block, x, expected)


def test_criss_cross_twice_reaches_the_whole_map():
    block = randomise(CrissCrossAttention(16))
    x = 0.3 * torch.randn(1, 16, 4, 5, dtype=torch.float64)  # larger scores would leave softmax weights near 0
    nudged = x.clone()
    nudged[0, :, 1, 2] += 0.3

    once = (block(nudged) - block(x)).abs().amax(1) > 1e-9
    twice = (block(block(nudged)) - block(block(x))).abs().amax(1) > 1e-9

    assert once.sum() == 4 + 5 - 1
    assert twice.all()


def test_criss_cross_has_the_papers_parameters():
    narrow = 768 // 8
    assert sum(p.numel() for p in CrissCrossAttention(768).parameters()) == 2 * (768 + 1) * narrow + (768 + 1) * 768


def test_says_what_is_wrong():
    with pytest.raises(ValueError, match="dim=36 is not a multiple of reduction=8"):
        CrissCrossAttention(36)
    with pytest.raises(ValueError, match="dim=32 is not a multiple of num_heads=3"):
        AxialAttention(32, num_heads=3)
