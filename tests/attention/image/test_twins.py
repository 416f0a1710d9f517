import pytest
import torch
from timm.models.twins import GlobalSubSampleAttn, LocallyGroupedAttn
from torch import nn

from vidattn.attention.image.twins import LocallyGroupedAttention, TwoStageAttention


def randomise(block: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    for parameter in block.parameters():
        nn.init.normal_(parameter, std=0.3)
    return block.double()


def test_local_stage_equals_timm_where_windows_tile_the_map():
    block = randomise(LocallyGroupedAttention(24, window=4, num_heads=3))
    reference = LocallyGroupedAttn(24, num_heads=3, ws=4).double()
    reference.load_state_dict(block.state_dict())
    x = torch.randn(2, 24, 8, 12, dtype=torch.float64)
    expected = reference(x.flatten(2).transpose(1, 2), (8, 12)).transpose(1, 2).view(x.shape)
    torch.testing.assert_close(block(x), expected)


@pytest.mark.parametrize("size", [(7, 10), (3, 9), (2, 3)], ids=str)
def test_each_window_is_an_attention_of_its_own_at_any_size(size):
    block = randomise(LocallyGroupedAttention(24, window=4, num_heads=3))
    reference = nn.MultiheadAttention(24, 3, batch_first=True, dtype=torch.float64)
    reference.in_proj_weight.data, reference.in_proj_bias.data = block.qkv.weight.data, block.qkv.bias.data
    reference.out_proj.load_state_dict(block.proj.state_dict())
    x = torch.randn(2, 24, *size, dtype=torch.float64, requires_grad=True)
    weights = torch.randn_like(x)
    side_y, side_x = min(4, size[0]), min(4, size[1])

    bands = []
    for band in x.split(side_y, dim=2):
        windows = []
        for window in band.split(side_x, dim=3):
            pixels = window.flatten(2).transpose(1, 2)
            windows.append(reference(pixels, pixels, pixels)[0].transpose(1, 2).reshape(window.shape))
        bands.append(torch.cat(windows, dim=3))
    expected = torch.cat(bands, dim=2)

    torch.testing.assert_close(block(x), expected)
    (slope,) = torch.autograd.grad((block(x) * weights).sum(), x)
    torch.testing.assert_close(slope, torch.autograd.grad((expected * weights).sum(), x)[0])


def test_second_stage_reads_the_first_ones_result():
    block = randomise(TwoStageAttention(24, window=4, reduction=2, num_heads=3))
    local = LocallyGroupedAttn(24, num_heads=3, ws=4).double()
    local.load_state_dict(block.grouped.state_dict())
    subsampled = GlobalSubSampleAttn(24, num_heads=3, sr_ratio=2).double()
    subsampled.load_state_dict({k.replace("reduce.", "sr."): v for k, v in block.subsampled.state_dict().items()})
    x = torch.randn(2, 24, 8, 12, dtype=torch.float64)
    before = x.flatten(2).transpose(1, 2)

    between = before + local(before, (8, 12))
    after = between + subsampled(between, (8, 12))

    torch.testing.assert_close(block(x), (after - before).transpose(1, 2).view(x.shape))


def test_has_the_papers_macs_and_the_two_stages_parameters():
    block = TwoStageAttention(768, window=7, reduction=7)
    # Section 3.2: every pixel meets the k1 k2 pixels of its window and one key per window.
    assert block.macs(56, 56).attention == 2 * 56 * 56 * (7 * 7 + 8 * 8) * 768
    assert sum(p.numel() for p in block.grouped.parameters()) == 4 * 768**2 + 4 * 768
    # The reference row of PVT's attention, which the second stage is, has R = 2.
    second = TwoStageAttention(768, reduction=2).subsampled
    assert sum(p.numel() for p in second.parameters()) == 4_723_968
    assert 8 * second.macs(14, 14).total == 3_354_968_064


def test_says_what_is_wrong():
    with pytest.raises(ValueError, match="window=0 must be at least 1"):
        LocallyGroupedAttention(32, window=0)
    with pytest.raises(ValueError, match="dim=32 is not a multiple of num_heads=3"):
        LocallyGroupedAttention(32, num_heads=3)
