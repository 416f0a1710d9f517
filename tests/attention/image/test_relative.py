import itertools
from functools import partial

import pytest
import torch
from timm.layers import RelPosBias
from timm.models.maxxvit import Attention2d

from vidattn.attention.image.relative import RelativeAttention


def test_cost_is_the_reference():
    block = RelativeAttention(768)
    assert sum(parameter.numel() for parameter in block.parameters()) == 2_371_116
    assert 8 * block.macs(14, 14).total == 4_171_431_936


def randomised(block: RelativeAttention) -> RelativeAttention:
    torch.manual_seed(0)
    for parameter in block.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return block.double()


def test_agrees_with_timm_in_values_and_gradients():
    block = randomised(RelativeAttention(32, 5, 6, num_heads=4))
    positions = partial(RelPosBias, window_size=(5, 6))
    peer = Attention2d(32, dim_head=8, head_first=False, rel_pos_cls=positions).double()
    weights = {
        key: value.view(*value.shape, 1, 1) if value.ndim == 2 else value
        for key, value in block.state_dict().items()
        if key != "table"
    }
    peer.load_state_dict(weights | {"rel_pos.relative_position_bias_table": block.table.flatten(1).T})
    x = torch.randn(2, 32, 5, 6, dtype=torch.float64, requires_grad=True)
    y = torch.randn_like(x)
    torch.testing.assert_close(block(x), peer(x))
    torch.testing.assert_close(*(torch.autograd.grad((layer(x) * y).sum(), x)[0] for layer in (block, peer)))
    ours, theirs = (
        torch.autograd.grad((layer(x) * y).sum(), table)[0]
        for layer, table in ((block, block.table), (peer, peer.rel_pos.relative_position_bias_table))
    )
    torch.testing.assert_close(ours.flatten(1).T, theirs)


def test_bias_is_the_tables_entry_for_the_offset_from_key_to_query():
    block = randomised(RelativeAttention(8, 3, 4, num_heads=2))
    bias = block.bias(3, 4).view(2, 3, 4, 3, 4)
    for row, column, key_row, key_column in itertools.product(range(3), range(4), range(3), range(4)):
        entry = block.table[:, row - key_row + 2, column - key_column + 3]
        assert torch.equal(bias[:, row, column, key_row, key_column], entry)


@pytest.mark.parametrize("size", [(7, 9), (2, 3), (1, 6), (5, 1)])
def test_on_another_size_offsets_still_share_entries_and_zero_keeps_its_own(size):
    block = randomised(RelativeAttention(8, 3, 4, num_heads=2))
    bias = block.bias(*size).view(2, *size, *size)
    for pixel in itertools.product(*map(range, size)):
        torch.testing.assert_close(bias[(slice(None), *pixel, *pixel)], block.table[:, 2, 3])
    torch.testing.assert_close(bias[:, 1:, 1:, 1:, 1:], bias[:, :-1, :-1, :-1, :-1])


def test_an_interpolated_slope_stays_a_slope():
    block = RelativeAttention(4, 8, 8, num_heads=1).double()
    block.table.data = torch.arange(-7.0, 8.0, dtype=torch.float64).expand(1, 15, 15)  # column offset
    bias = block.bias(16, 16).view(16, 16, 16, 16)
    steps = bias[0, :, 0].diff(dim=0)[1:14, 8]  # queries walk along a row, the key stays
    torch.testing.assert_close(steps, torch.full_like(steps, 15 / 31))


def test_it_follows_a_shift_where_the_bias_leaves_the_border_out():
    block = randomised(RelativeAttention(8, 12, 12, num_heads=2))
    near = torch.zeros(23, 23, dtype=torch.bool)
    near[9:14, 9:14] = True  # offsets of at most two pixels
    block.table.data.masked_fill_(~near, -1e9)
    x = torch.randn(1, 8, 12, 12, dtype=torch.float64)
    shifted = block(x.roll((3, 1), dims=(2, 3))).roll((-3, -1), dims=(2, 3))
    torch.testing.assert_close(shifted[..., 2:-5, 2:-3], block(x)[..., 2:-5, 2:-3])


def test_heads_that_do_not_divide_are_refused():
    with pytest.raises(ValueError, match=r"dim=32 is not a multiple of num_heads=5"):
        RelativeAttention(32, num_heads=5)
