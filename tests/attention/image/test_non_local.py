import pytest
import torch
from timm.layers.non_local_attn import NonLocalAttn
from torch import Tensor

from vidattn.attention.image.non_local import EmbeddedGaussian, NonLocal, PooledNonLocal

# The reference counts the block on all 8 frames at once: their pixels are those of one map, 8 x 14 rows high.
ROWS, COLUMNS = 8 * 14, 14


@pytest.mark.parametrize(("cls", "macs"), [(NonLocal, 3_737_911_296), (PooledNonLocal, 1_628_110_848)])
def test_cost_is_the_reference(cls, macs):
    block = cls(768)
    assert sum(parameter.numel() for parameter in block.parameters()) == 1_183_104
    assert block.macs(ROWS, COLUMNS).total == macs


def randomised(block: NonLocal | PooledNonLocal) -> NonLocal | PooledNonLocal:
    """In evaluation mode, with random weights in place of the zeros of the norm."""
    torch.manual_seed(0)
    for tensor in [*block.parameters(), block.gather.norm.running_mean]:
        torch.nn.init.normal_(tensor, std=0.3)
    return block.double().eval()


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("training", [False, True])
def test_agrees_with_timm_in_values_and_gradients(batch, training):
    block = randomised(NonLocal(16)).train(training)
    peer = NonLocalAttn(16, rd_ratio=1 / 2, rd_divisor=1).double().train(training)
    peer.scale = 8**-0.5  # timm takes the width of the map, the authors' code that of the embedding
    values = [v.view(*v.shape, 1, 1) if v.ndim == 2 else v for v in block.state_dict().values()]
    peer.load_state_dict(dict(zip(peer.state_dict(), values, strict=True)))
    x = torch.randn(batch, 16, 4, 5, dtype=torch.float64, requires_grad=True)
    y = torch.randn_like(x)
    torch.testing.assert_close(block(x), peer(x))
    torch.testing.assert_close(*(torch.autograd.grad((layer(x) * y).sum(), x)[0] for layer in (block, peer)))


def gathered(part: EmbeddedGaussian, pixel: Tensor, others: list[Tensor]) -> Tensor:
    """The update of one pixel `(C,)`, written out."""
    scores = torch.stack([part.theta(pixel) @ part.phi(other) / part.theta.out_features**0.5 for other in others])
    weights = scores.exp() / scores.exp().sum()
    mixed = sum(weight * part.g(other) for weight, other in zip(weights, others, strict=True))
    norm = part.norm
    return (part.out(mixed) - norm.running_mean) / (norm.running_var + norm.eps) ** 0.5 * norm.weight + norm.bias


@pytest.mark.parametrize("size", [(4, 6), (5, 3)])
def test_pooled_agrees_with_loops(size):
    block = randomised(PooledNonLocal(8))
    x = torch.randn(1, 8, *size, dtype=torch.float64)
    corners = [(row, column) for row in range(0, size[0], 2) for column in range(0, size[1], 2)]
    pooled = [x[0, :, row : row + 2, column : column + 2].amax((1, 2)) for row, column in corners]
    expected = [pixel + gathered(block.gather, pixel, pooled) for pixel in x[0].flatten(1).T]
    torch.testing.assert_close(block(x)[0].flatten(1).T, torch.stack(expected))


def test_put_into_a_trained_network_it_changes_nothing():
    x = torch.randn(2, 8, 5, 5)
    for block in (NonLocal(8), PooledNonLocal(8)):
        torch.testing.assert_close(block(x), x, rtol=0, atol=0)


def test_an_odd_width_is_refused():
    with pytest.raises(ValueError, match=r"dim=7 is odd.*take 6 or 8"):
        NonLocal(7)
