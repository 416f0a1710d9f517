import pytest
import torch
from timm.layers.cbam import CbamModule

from vidattn.attention.image.cbam import CBAM, ChannelAttention, SpatialGate


def test_cost_is_the_reference():
    block = CBAM(768)
    assert sum(parameter.numel() for parameter in block.parameters()) == 74_644
    assert 8 * block.macs(14, 14).total == 1_333_312


def pair() -> tuple[CBAM, CbamModule]:
    """Our block and timm's with the same random weights."""
    torch.manual_seed(0)
    block = CBAM(32, reduction=4).double().eval()
    for tensor in [*block.parameters(), block.spatial.norm.running_mean]:
        torch.nn.init.normal_(tensor, std=0.5)
    peer = CbamModule(32, rd_ratio=1 / 4, mlp_bias=True).double().eval()
    channel = [value.view(*value.shape, 1, 1) if value.ndim == 2 else value for value in block.channel.parameters()]
    values = [*channel, *block.spatial.state_dict().values()]
    peer.load_state_dict(dict(zip(peer.state_dict(), values, strict=True)))
    return block, peer


@pytest.mark.parametrize("part", [lambda net: net, lambda net: net.channel, lambda net: net.spatial])
def test_whole_and_halves_agree_with_timm_in_values_and_gradients(part):
    block, peer = map(part, pair())
    x = torch.randn(2, 32, 9, 6, dtype=torch.float64, requires_grad=True)
    y = torch.randn_like(x)
    torch.testing.assert_close(block(x), peer(x))
    torch.testing.assert_close(*(torch.autograd.grad((layer(x) * y).sum(), x)[0] for layer in (block, peer)))


def test_the_spatial_gate_follows_a_shift_away_from_the_border():
    gate = SpatialGate(8).double().eval()
    x = torch.randn(1, 8, 16, 16, dtype=torch.float64)
    shifted = gate(x.roll((2, 1), dims=(2, 3))).roll((-2, -1), dims=(2, 3))
    torch.testing.assert_close(shifted[..., 3:-5, 3:-4], gate(x)[..., 3:-5, 3:-4])


def test_the_channel_gate_sees_maxima_and_not_means_alone():
    attention = ChannelAttention(8, reduction=1).double()
    x = torch.ones(1, 8, 2, 2, dtype=torch.float64)
    peaked = x + torch.tensor([[1.0, -1.0], [0.0, 0.0]])  # same means
    assert not torch.allclose((attention(peaked) / peaked)[..., 1, 1], (attention(x) / x)[..., 1, 1])


def test_an_even_kernel_is_refused():
    with pytest.raises(ValueError, match=r"kernel_size=6 must be odd, such as 7"):
        CBAM(8, kernel_size=6)
