"""Linear attention against the quadratic form of the same kernel: all weights of all pairs of tokens."""

import pytest
import torch
import torch.nn.functional as F
from grouped import gradients, randomised
from torch.utils._python_dispatch import TorchDispatchMode

from vidattn.attention.linear import JointLinearAttention
from vidattn.grid import Grid
from vidattn.models.presets import build_network, preset


def random_step(*args):
    return randomised(JointLinearAttention(*args))


def quadratic(attention, x):
    q, k, v = attention.attn.qkv(x).view(*x.shape[:2], 3, attention.attn.num_heads, -1).permute(2, 0, 3, 1, 4)
    weights = (F.elu(q) + 1) @ (F.elu(k) + 1).mT
    mixed = weights / weights.sum(-1, keepdim=True) @ v
    return attention.attn.proj(mixed.transpose(1, 2).flatten(2))


@pytest.mark.parametrize("grid", [Grid(3, 2, 4), Grid(4, 3, 1, 0), Grid(2, 3, 3, 4)], ids=str)
def test_equals_the_quadratic_form(grid):
    attention = random_step(8, 2)
    x = torch.randn(2, grid.num_tokens, 8, dtype=torch.float64)
    parameters = list(attention.parameters())
    expected = gradients(lambda x: quadratic(attention, x), x, parameters)
    torch.testing.assert_close(gradients(lambda x: attention(x, grid), x, parameters), expected)
    torch.testing.assert_close(attention.float()(x.float(), grid), expected[0].float(), rtol=1e-5, atol=1e-5)


def test_stays_finite_where_all_keys_are_far_below_zero():
    attention, grid = random_step(8, 2).float(), Grid(2, 3, 4)
    x = torch.randn(1, grid.num_tokens, 8)
    torch.nn.init.constant_(attention.attn.qkv.bias, -30.0)
    out = attention(x, grid)
    torch.testing.assert_close(out, quadratic(attention.double(), x.double()).float(), rtol=1e-3, atol=1e-3)


def test_long_clips_do_not_overflow_in_half_precision():
    """Keys near 50 at 3000 tokens: their sum is beyond 65504, the largest number of float16."""
    attention, grid = random_step(8, 2).float(), Grid(30, 10, 10, 0)
    torch.nn.init.constant_(attention.attn.qkv.bias[8:16], 50.0)
    x = torch.randn(1, grid.num_tokens, 8)
    torch.testing.assert_close(
        attention.half()(x.half(), grid).float(), attention.float()(x, grid), rtol=0.02, atol=0.02
    )


def test_no_intermediate_exceeds_queries_keys_and_values():
    class LargestOutput(TorchDispatchMode):
        numel = 0

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            out = function(*args, **(kwargs or {}))
            tensors = out if isinstance(out, tuple | list) else [out]
            self.numel = max([self.numel, *(t.numel() for t in tensors if isinstance(t, torch.Tensor))])
            return out

    grid = Grid(8, 14, 14)
    with torch.device("meta"):
        attention, x = JointLinearAttention(64, 2), torch.empty(1, grid.num_tokens, 64)
        with LargestOutput() as largest:
            attention(x, grid)
    assert largest.numel == 3 * x.numel()


def test_cost_is_the_published_one():
    attention = JointLinearAttention(768, 12)
    assert sum(p.numel() for p in attention.parameters()) == 2_362_368
    assert attention.macs(Grid(8, 14, 14, prefix=0)).total == 3_854_721_024
    with torch.device("meta"):
        network = build_network(preset("B", attention="vidattn.attention.linear.JointLinearAttention", pooling="mean"))
    assert sum(p.numel() for p in network.parameters()) == 86_110_864
    assert network.macs(8, 224, 224).total == 135_966_830_592


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="dim=32 is not a multiple of num_heads=5"):
        JointLinearAttention(32, 5)
