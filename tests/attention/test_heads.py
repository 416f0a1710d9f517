import pytest
import torch

from vidattn.attention import heads
from vidattn.attention.heads import SelfAttention
from vidattn.attention.parts import QKV_BIASES


def oracle(attention, x):
    """Attention by plain loops over rows, heads and queries."""
    dim = x.shape[-1]
    q, k, v = (x @ attention.qkv.weight.T + attention.qkv.bias).split(dim, dim=-1)
    out = torch.zeros_like(x)
    width = dim // attention.num_heads
    for row in range(x.shape[0]):
        for head in range(attention.num_heads):
            part = slice(head * width, (head + 1) * width)
            for query in range(x.shape[1]):
                scores = torch.stack([q[row, query, part] @ key for key in k[row, :, part]]) / width**0.5
                weights = scores.exp() / scores.exp().sum()
                out[row, query, part] = sum(w * value for w, value in zip(weights, v[row, :, part], strict=True))
    return out @ attention.proj.weight.T + attention.proj.bias


@pytest.fixture
def attention():
    torch.manual_seed(0)
    attention = SelfAttention(12, 3).double()
    for parameter in attention.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return attention


@pytest.mark.parametrize("fused", [True, False])
def test_equals_plain_loops_with_either_kernel(attention, fused, monkeypatch):
    monkeypatch.setattr(heads, "fused_pays", lambda q, k: fused)
    x = torch.randn(2, 5, 12, dtype=torch.float64)
    torch.testing.assert_close(attention(x), oracle(attention, x))


@pytest.mark.parametrize("fused", [True, False])
def test_across_equals_moving_the_locations_into_the_batch(attention, fused, monkeypatch):
    monkeypatch.setattr(heads, "fused_pays", lambda q, k: fused)
    x = torch.randn(2, 4, 7, 12, dtype=torch.float64)  # (B, T, L, D)
    moved = x.transpose(1, 2).flatten(0, 1)
    expected = attention(moved).unflatten(0, (2, 7)).transpose(1, 2)
    torch.testing.assert_close(attention.across(x), expected)


def test_width_that_heads_do_not_divide_is_refused():
    with pytest.raises(ValueError, match="dim=50 is not a multiple of num_heads=4"):
        SelfAttention(50, 4)


@pytest.mark.parametrize(("name", "biased"), [("all", "qkv"), ("query_value", "qv"), ("none", "")])
@pytest.mark.parametrize("method", ["forward", "across"])
def test_no_bias_is_a_bias_of_zero(attention, name, biased, method):
    """The same weights with all biases, those that the name leaves out at zero."""
    other = SelfAttention(12, 3).double()
    other.load_state_dict(attention.state_dict())
    other.qkv = QKV_BIASES[name](12).double()
    other.qkv.weight.data = attention.qkv.weight.data
    for letter, bias in zip("qkv", attention.qkv.bias.data.chunk(3), strict=True):
        bias.mul_(letter in biased)
    if name == "all":
        other.qkv.bias.data = attention.qkv.bias.data
    if name == "query_value":
        other.qkv.query_bias.data, _, other.qkv.value_bias.data = attention.qkv.bias.data.chunk(3)
    x = torch.randn(2, 5, 12, dtype=torch.float64) if method == "forward" else torch.randn(2, 4, 7, 12).double()
    torch.testing.assert_close(getattr(other, method)(x), getattr(attention, method)(x))


@pytest.mark.parametrize(("name", "count"), [("all", 36), ("query_value", 24), ("none", 0)])
def test_a_bias_that_is_left_out_has_no_parameters(name, count):
    assert sum(parameter.numel() for parameter in QKV_BIASES[name](12).parameters()) == 3 * 12 * 12 + count
