import pytest
import torch
import torch.nn.functional as F

from vidattn.models.layers import Mlp, activation_named, gelu, gelu_tanh


@pytest.mark.parametrize(("ours", "approximate"), [(gelu, "none"), (gelu_tanh, "tanh")])
def test_the_activation_is_torchs_with_and_without_gradients(ours, approximate):
    x = torch.randn(50, dtype=torch.float64)
    expected = F.gelu(x, approximate=approximate)
    assert torch.equal(ours(x), expected)
    with torch.no_grad():
        torch.testing.assert_close(ours(x.clone()), expected)


def test_an_activation_may_be_a_function_or_a_class_by_its_path():
    x = torch.randn(5)
    for name in ("torch.nn.functional.silu", "torch.nn.SiLU"):
        assert torch.equal(activation_named(name)(x), F.silu(x))
    with pytest.raises(ValueError, match=r"activation='torch\.pi' is neither a function nor a module"):
        activation_named("torch.pi")


def test_an_mlp_costs_its_two_products():
    assert Mlp(8, 32).macs(tokens=10).total == 10 * 2 * 8 * 32
