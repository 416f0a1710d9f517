import torch
from timm.layers import SEModule

from vidattn.attention.image.squeeze_excite import SqueezeExcite


def test_cost_is_the_reference():
    block = SqueezeExcite(768)
    assert sum(parameter.numel() for parameter in block.parameters()) == 74_544
    assert block.macs(14, 14).total == 73_728


def test_agrees_with_timm_in_values_and_gradients():
    block = SqueezeExcite(64).double()
    peer = SEModule(64, rd_ratio=1 / 16, rd_divisor=1).double()
    weights = zip(peer.state_dict(), block.state_dict().values(), strict=True)
    peer.load_state_dict({key: value.view(*value.shape, 1, 1) if value.ndim == 2 else value for key, value in weights})
    x = torch.randn(2, 64, 5, 7, dtype=torch.float64, requires_grad=True)
    y = torch.randn_like(x)
    torch.testing.assert_close(block(x), peer(x))
    torch.testing.assert_close(*(torch.autograd.grad((layer(x) * y).sum(), x)[0] for layer in (block, peer)))


def test_where_the_pixels_lie_does_not_matter():
    block = SqueezeExcite(16).double()
    x = torch.randn(1, 16, 1, 12, dtype=torch.float64)
    order = torch.randperm(12)
    torch.testing.assert_close(block(x[..., order]), block(x)[..., order])


def test_a_channel_is_scaled_as_a_whole():
    x = torch.rand(2, 16, 4, 4) + 1
    gates = (SqueezeExcite(16)(x) / x).flatten(2)
    torch.testing.assert_close(gates, gates[..., :1].expand_as(gates))
    assert gates.std(1).min() > 0
    assert 0 < gates.min() < gates.max() < 1
