import pytest
import torch
import torch.nn.functional as F

from vidattn.attention.heads import two_products
from vidattn.export.cases import TINY
from vidattn.models.recorder import Recording
from vidattn.quantization.e4m3_products import E4M3Products, weigh_in_e4m3, weighed


def operands():
    torch.manual_seed(0)
    return torch.randn(3, 2, 4, 9, 8).unbind()


def by_hand(q, k, v):
    """Each weight and each value rounded on its own, the sum in double."""
    weights = (q @ k.mT * 8**-0.5).softmax(-1)
    out = torch.zeros(q.shape, dtype=torch.double)
    for b, h, m, d in torch.cartesian_prod(*map(torch.arange, q.shape)).tolist():
        largest = v[b, h, :, d].abs().max() / 448
        values = (v[b, h, :, d] / largest).to(torch.float8_e4m3fn).double() * largest
        out[b, h, m, d] = (weights[b, h, m] * 448).to(torch.float8_e4m3fn).double() / 448 @ values.double()
    return out


@pytest.mark.parametrize("attend", [F.scaled_dot_product_attention, two_products])
def test_weights_and_values_are_rounded_whichever_kernel_is_asked(attend):
    q, k, v = operands()
    with E4M3Products() as mode:
        found = attend(q, k, v)
    assert mode.found == 1
    torch.testing.assert_close(found.double(), by_hand(q, k, v), rtol=1e-4, atol=1e-5)
    exact = F.scaled_dot_product_attention(q, k, v)
    assert 1e-3 < (found - exact).norm() / exact.norm() < 0.05


def test_masks_and_biases_count():
    q, k, v = operands()
    mask = torch.ones(9, 9, dtype=torch.bool).tril()
    with E4M3Products():
        masked = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        causal = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        biased = two_products(q, k, v, torch.zeros(9, 9).masked_fill(~mask, -torch.inf))
    torch.testing.assert_close(masked, causal)
    torch.testing.assert_close(masked, biased)


def test_other_products_are_left_alone():
    a, b = torch.randn(2, 4, 4).unbind()
    with E4M3Products() as mode:
        assert torch.equal(a @ b, torch.matmul(a, b))
        _ = (a @ b).softmax(-1) * b
    assert mode.found == 0


def test_all_attention_of_a_network_is_rounded_and_can_still_be_recorded():
    torch.manual_seed(0)
    network = TINY.build().eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    video = torch.randn(1, 3, 4, 32, 32)
    with torch.no_grad():
        exact, tokens = network(video), network.features(video).tokens
        weigh_in_e4m3(network)
        found = network(video)
        assert 1e-5 < (found - exact).norm() / exact.norm() < 0.1
        assert not torch.equal(network.features(video).tokens, tokens)
        with Recording([network.blocks[0].steps[0]], 1e9) as recording:
            assert torch.equal(network(video), found)
        (visit,) = recording.visits.values()
    torch.testing.assert_close(visit.weights[0].sum(-1), torch.ones(1, 2, 64))
    assert weighed(torch.ones(1, 1), torch.full((1, 1), 3.0)).item() == pytest.approx(3)
