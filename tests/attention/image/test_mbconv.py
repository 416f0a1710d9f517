import pytest
import torch
from timm.models.maxxvit import MaxxVitConvCfg, MbConvBlock

from vidattn.attention.image.mbconv import MBConv


def test_cost_is_the_reference():
    block = MBConv(768)
    assert sum(parameter.numel() for parameter in block.parameters()) == 4_760_832
    assert 8 * block.macs(14, 14).total == 7_442_104_320


@pytest.mark.parametrize("training", [False, True])
def test_with_its_residual_it_agrees_with_timm_in_values_and_gradients(training):
    block = MBConv(16).double().train(training)
    for tensor in block.state_dict().values():
        if tensor.is_floating_point():
            tensor.uniform_(0.2, 1).add_(-0.6 if tensor.ndim > 1 else 0)  # variances stay positive
    config = MaxxVitConvCfg(attn_layer="", norm_layer="batchnorm2d", init_values=None)
    peer = MbConvBlock(16, 16, cfg=config).double().train(training)
    peer.load_state_dict(dict(zip(peer.state_dict(), block.state_dict().values(), strict=True)))

    def ours(x: torch.Tensor) -> torch.Tensor:
        return x + block(x)

    x = torch.randn(2, 16, 6, 5, dtype=torch.float64, requires_grad=True)
    y = torch.randn_like(x)
    torch.testing.assert_close(ours(x), peer(x))
    torch.testing.assert_close(*(torch.autograd.grad((layer(x) * y).sum(), x)[0] for layer in (ours, peer)))


def test_it_follows_a_shift_away_from_the_border():
    block = MBConv(4, expansion=2, kernel_size=5).double().eval()
    x = torch.randn(1, 4, 12, 12, dtype=torch.float64)
    shifted = block(x.roll((2, 1), dims=(2, 3))).roll((-2, -1), dims=(2, 3))
    torch.testing.assert_close(shifted[..., 2:-4, 2:-3], block(x)[..., 2:-4, 2:-3])


def test_an_even_kernel_is_refused():
    with pytest.raises(ValueError, match=r"kernel_size=2 must be odd, such as 3"):
        MBConv(8, kernel_size=2)
