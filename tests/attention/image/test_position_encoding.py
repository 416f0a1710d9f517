import pytest
import torch
from timm.models.twins import PosConv

from vidattn.attention.image.position_encoding import PositionalEncodingGenerator


def test_cost_is_the_reference():
    block = PositionalEncodingGenerator(768)
    assert sum(parameter.numel() for parameter in block.parameters()) == 7_680
    assert 8 * block.macs(14, 14).total == 10_838_016


def test_agrees_with_timm_in_values_and_gradients():
    block = PositionalEncodingGenerator(6).double()
    peer = PosConv(6, 6).double()
    peer.load_state_dict(dict(zip(peer.state_dict(), block.state_dict().values(), strict=True)))
    x = torch.randn(2, 6, 5, 8, dtype=torch.float64, requires_grad=True)
    y = torch.randn_like(x)
    tokens = peer(x.flatten(2).transpose(1, 2), (5, 8))
    expected = tokens.transpose(1, 2).view_as(x)
    torch.testing.assert_close(block(x), expected)
    torch.testing.assert_close(*(torch.autograd.grad((out * y).sum(), x)[0] for out in (block(x), expected)))


@pytest.mark.parametrize("kernel_size", [3, 5])
def test_on_a_blank_map_only_the_border_is_told_apart(kernel_size):
    edge = kernel_size // 2
    out = PositionalEncodingGenerator(4, kernel_size).double()(torch.ones(1, 4, 9, 11, dtype=torch.float64))
    centre = out[..., 4:5, 5:6]
    same = torch.isclose(out, centre).all(1)[0]
    assert same[edge:-edge, edge:-edge].all()
    assert same.sum() == (9 - 2 * edge) * (11 - 2 * edge)


def test_it_follows_a_shift_away_from_the_border():
    block = PositionalEncodingGenerator(4).double()
    x = torch.randn(1, 4, 10, 10, dtype=torch.float64)
    shifted = block(x.roll((2, 1), dims=(2, 3))).roll((-2, -1), dims=(2, 3))
    torch.testing.assert_close(shifted[..., 1:-3, 1:-2], block(x)[..., 1:-3, 1:-2])


def test_an_even_kernel_is_refused():
    with pytest.raises(ValueError, match=r"kernel_size=4 must be odd, such as 5"):
        PositionalEncodingGenerator(8, kernel_size=4)
