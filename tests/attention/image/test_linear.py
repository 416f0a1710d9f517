import pytest
import torch
import torch.nn.functional as F

from vidattn.attention.image.linear import LinearAttention


def test_equals_attention_with_the_whole_matrix_of_weights():
    torch.manual_seed(0)
    block = LinearAttention(24, num_heads=3).double()
    for parameter in block.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    x = torch.randn(2, 24, 4, 5, dtype=torch.float64, requires_grad=True)
    slopes = torch.randn_like(x)
    q, k, v = block.qkv(x.flatten(2).mT).chunk(3, dim=-1)

    heads = []
    for head in (slice(0, 8), slice(8, 16), slice(16, 24)):
        weights = (F.elu(q[..., head]) + 1) @ (F.elu(k[..., head]) + 1).mT  # (B, N, N)
        heads.append(weights / weights.sum(-1, keepdim=True) @ v[..., head])
    expected = block.proj(torch.cat(heads, dim=-1)).mT.view(x.shape)

    torch.testing.assert_close(block(x), expected)
    (slope,) = torch.autograd.grad((block(x) * slopes).sum(), x)
    torch.testing.assert_close(slope, torch.autograd.grad((expected * slopes).sum(), x)[0])


def test_has_the_reference_parameters_and_macs():
    block = LinearAttention(768)
    assert sum(parameter.numel() for parameter in block.parameters()) == 2_362_368
    assert 8 * block.macs(14, 14).total == 3_854_721_024


def test_very_negative_queries_and_keys_do_not_divide_zero_by_zero():
    block = LinearAttention(16)
    with torch.no_grad():
        block.qkv.bias[:32] = -30  # elu(-30) + 1 is exactly 0 in fp32
    x = torch.randn(1, 16, 4, 4)
    torch.testing.assert_close(block(x), block.double()(x.double()).float())


def test_a_large_map_does_not_overflow_in_half_precision():
    torch.manual_seed(0)
    block = LinearAttention(16)
    with torch.no_grad():
        block.qkv.bias[:32] = 10  # sums over all keys: 128^2 x 16 x 11^2 is far above fp16's 65504
        block.qkv.bias[32:] = 1
    x = torch.randn(1, 16, 128, 128)
    torch.testing.assert_close(block.half()(x.half()).float(), block.float()(x), rtol=0, atol=2e-3)


def test_says_what_is_wrong():
    with pytest.raises(ValueError, match="dim=32 is not a multiple of num_heads=3"):
        LinearAttention(32, num_heads=3)
