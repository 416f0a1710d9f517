import pytest
import torch

from vidattn.grid import Grid


@pytest.mark.parametrize("prefix", [0, 1, 4])
def test_join_undoes_split(prefix):
    grid = Grid(2, 3, 4, prefix)
    x = torch.randn(2, grid.num_tokens, 5)
    assert torch.equal(grid.join(*grid.split(x)), x)


def test_tokens_lie_prefix_first_then_time_rows_columns():
    grid = Grid(frames=2, height=3, width=4, prefix=2)
    x = torch.arange(grid.num_tokens)[None, :, None]
    prefix, video = grid.split(x)
    assert prefix.flatten().tolist() == [0, 1]
    assert video[0, 1, 2, 3].item() == 2 + 1 * 12 + 2 * 4 + 3


def test_split_copies_nothing():
    grid = Grid(2, 3, 4)
    x = torch.randn(2, grid.num_tokens, 5)
    prefix, video = grid.split(x)
    assert {prefix.untyped_storage().data_ptr(), video.untyped_storage().data_ptr()} == {x.untyped_storage().data_ptr()}
