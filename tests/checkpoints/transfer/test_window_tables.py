import pytest
import torch
from timm.layers import resize_rel_pos_bias_table

from vidattn.checkpoints.transfer.window_tables import resized_window


@pytest.mark.parametrize(("old", "new"), [(7, 8), (7, 12), (7, 5), (4, 16), (2, 3), (7, 7)])
def test_tables_are_resized_as_timm_does(old, new):
    table = torch.randn((2 * old - 1) ** 2, 3, generator=torch.Generator().manual_seed(0))
    wanted = resize_rel_pos_bias_table(table, (new, new), ((2 * new - 1) ** 2, 3))
    found = resized_window(table.mT.unflatten(1, (2 * old - 1, -1)), (new, new))
    torch.testing.assert_close(found.flatten(1).mT, wanted, rtol=1e-4, atol=1e-4)


def test_offset_zero_keeps_its_value_and_time_is_an_axis_like_the_others():
    table = torch.randn(2, 3, 13, 13)
    found = resized_window(table, (4, 9, 7))
    assert found.shape == (2, 7, 17, 13)
    torch.testing.assert_close(found[:, 3, 8], table[:, 1, 6])
    torch.testing.assert_close(resized_window(table[:, :1], (4, 7, 7)), table[:, :1].expand(-1, 7, -1, -1))
