import torch
from torch import nn

from vidattn.attention.image.self_attention import MapAttention


def test_equals_pytorchs_own_multi_head_attention():
    torch.manual_seed(0)
    block = MapAttention(24, num_heads=3).double()
    x = torch.randn(2, 24, 4, 5, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(2, 24, 4, 5, dtype=torch.float64)
    reference = nn.MultiheadAttention(24, 3, batch_first=True, dtype=torch.float64)
    reference.in_proj_weight.data, reference.in_proj_bias.data = block.attn.qkv.weight.data, block.attn.qkv.bias.data
    reference.out_proj.load_state_dict(block.attn.proj.state_dict())
    pixels = x.flatten(2).transpose(1, 2)

    expected = reference(pixels, pixels, pixels)[0].transpose(1, 2).view(x.shape)

    torch.testing.assert_close(block(x), expected)
    (slope,) = torch.autograd.grad((block(x) * weights).sum(), x)
    torch.testing.assert_close(slope, torch.autograd.grad((expected * weights).sum(), x)[0])


def test_has_the_reference_parameters_and_macs():
    block = MapAttention(768)
    assert sum(parameter.numel() for parameter in block.parameters()) == 2_362_368
    # The reference row "space only" has a class token: 197 tokens in each of 8 frames.
    assert 8 * block.macs(1, 197).total == 4_195_135_488


def test_knows_no_positions():
    torch.manual_seed(0)
    block = MapAttention(16).double()
    x = torch.randn(1, 16, 3, 4, dtype=torch.float64)
    order = torch.randperm(12)
    shuffled = x.flatten(2)[..., order].view(x.shape)
    torch.testing.assert_close(block(shuffled).flatten(2), block(x).flatten(2)[..., order])
