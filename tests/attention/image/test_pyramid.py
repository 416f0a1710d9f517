import pytest
import torch
import torch.nn.functional as F
from timm.models.pvt_v2 import Attention as TimmAttention

from vidattn.attention.image.pyramid import SpatialReductionAttention


def build(dim: int, reduction: int, num_heads: int) -> SpatialReductionAttention:
    torch.manual_seed(0)
    block = SpatialReductionAttention(dim, reduction, num_heads).double()
    for parameter in block.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return block


@pytest.mark.parametrize("reduction", [2, 4])
def test_equals_timm_where_patches_tile_the_map(reduction):
    block = build(24, reduction, num_heads=3)
    reference = TimmAttention(24, num_heads=3, sr_ratio=reduction, qkv_bias=True).double()
    reference.load_state_dict({name.replace("reduce.", "sr."): value for name, value in block.state_dict().items()})
    x = torch.randn(2, 24, 8, 12, dtype=torch.float64, requires_grad=True)
    weights = torch.randn_like(x)

    expected = reference(x.flatten(2).transpose(1, 2), [8, 12]).transpose(1, 2).view(x.shape)

    torch.testing.assert_close(block(x), expected)
    (slope,) = torch.autograd.grad((block(x) * weights).sum(), x)
    torch.testing.assert_close(slope, torch.autograd.grad((expected * weights).sum(), x)[0])


def test_at_the_border_patches_hold_the_pixels_that_there_are():
    block = build(8, reduction=3, num_heads=1)
    x = torch.randn(1, 8, 4, 5, dtype=torch.float64)  # 2 x 2 patches; only the first is whole
    keys = []
    for top, left in [(0, 0), (0, 3), (3, 0), (3, 3)]:
        total = block.reduce.bias
        for row in range(top, min(top + 3, 4)):
            for column in range(left, min(left + 3, 5)):
                total = total + block.reduce.weight[:, :, row - top, column - left] @ x[0, :, row, column]
        keys.append(F.layer_norm(total, (8,), block.norm.weight, block.norm.bias))
    k, v = block.kv(torch.stack(keys)).split(8, dim=-1)
    pixels = x[0].flatten(1).T

    mixed = (block.q(pixels) @ k.T / 8**0.5).softmax(-1) @ v

    torch.testing.assert_close(block(x)[0].flatten(1).T, block.proj(mixed))


def test_has_the_reference_parameters_and_macs():
    block = SpatialReductionAttention(768, reduction=2)
    assert sum(parameter.numel() for parameter in block.parameters()) == 4_723_968
    assert 8 * block.macs(14, 14).total == 3_354_968_064


def test_says_what_is_wrong():
    with pytest.raises(ValueError, match="reduction=1 reduces nothing; use MapAttention"):
        SpatialReductionAttention(32, reduction=1)
    with pytest.raises(ValueError, match="dim=32 is not a multiple of num_heads=3"):
        SpatialReductionAttention(32, num_heads=3)
