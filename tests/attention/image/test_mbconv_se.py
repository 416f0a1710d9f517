import pytest
import torch
from timm.models.maxxvit import MaxxVitConvCfg, MbConvBlock

from vidattn.attention.image.mbconv_se import SqueezedMBConv


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(("out_dim", "stride"), [(16, 1), (24, 2)])
def test_with_its_residual_it_agrees_with_timm_in_values_and_gradients(out_dim, stride, training):
    torch.manual_seed(0)
    block = SqueezedMBConv(16, out_dim=out_dim, stride=stride).double().train(training)
    for tensor in block.state_dict().values():
        if tensor.is_floating_point():
            tensor.uniform_(0.2, 1).add_(-0.6 if tensor.ndim > 1 else 0)  # variances stay positive
    peer = MbConvBlock(16, out_dim, stride=stride, cfg=MaxxVitConvCfg()).double().train(training)
    state = dict(peer.state_dict())
    own = [name for name in state if not name.startswith("shortcut")]
    for name, value in zip(own, block.state_dict().values(), strict=True):
        state[name] = value.view(state[name].shape)
    peer.load_state_dict(state)

    x = torch.randn(2, 16, 6, 4, dtype=torch.float64, requires_grad=True)
    y = torch.randn(2, out_dim, 6 // stride, 4 // stride, dtype=torch.float64)

    def update(x: torch.Tensor) -> torch.Tensor:
        return peer(x) - peer.shortcut(x)

    torch.testing.assert_close(block(x), update(x))
    torch.testing.assert_close(*(torch.autograd.grad((layer(x) * y).sum(), x)[0] for layer in (block, update)))


def test_an_even_kernel_is_refused():
    with pytest.raises(ValueError, match=r"kernel_size=2 must be odd, such as 3"):
        SqueezedMBConv(8, kernel_size=2)
