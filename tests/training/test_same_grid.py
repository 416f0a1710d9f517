"""Maps of one grid on another: what each token covers is shared out, and nothing is lost."""

import pytest
import torch
import torch.nn.functional as F

from vidattn.attention.base import RowMaps
from vidattn.grid import Grid
from vidattn.training.same_grid import maps_on_grid, on_grid, shares_on_grid

OLD, NEW = Grid(4, 6, 2, 0), Grid(2, 4, 3, 0)


def test_features_are_averaged_as_pooling_does_and_copied_where_there_are_more():
    video = torch.randn(2, 4, 6, 2, 5)
    wanted = F.adaptive_avg_pool3d(video.permute(0, 4, 1, 2, 3), (2, 3, 1)).permute(0, 2, 3, 4, 1)
    torch.testing.assert_close(on_grid(video, Grid(2, 3, 1, 0)), wanted)
    torch.testing.assert_close(on_grid(video, Grid(8, 6, 4, 0))[:, ::2, :, ::2], video)


def test_shares_stay_shares():
    shares = torch.rand(3, *OLD.sides()).flatten(1).softmax(1).view(3, *OLD.sides())
    new = shares_on_grid(shares, NEW)
    assert new.shape == (3, *NEW.sides())
    torch.testing.assert_close(new.sum((1, 2, 3)), torch.ones(3))
    torch.testing.assert_close(new.sum((2, 3)), shares.sum((2, 3)).unflatten(1, (2, 2)).sum(2))


@pytest.mark.parametrize("prefix", [0, 2])
def test_rows_go_on_summing_to_one_and_what_is_even_stays_even(prefix):
    old, new = OLD._replace(prefix=prefix), NEW._replace(prefix=prefix)
    maps = RowMaps(torch.randn(2, 6, old.num_tokens, old.num_tokens).softmax(-1), Grid(1, 3, 2, 0), old)
    found = maps_on_grid(maps, Grid(1, 6, 1, 0), new)
    assert found.shape == (2, 6, new.num_tokens, new.num_tokens)
    torch.testing.assert_close(found.sum(-1), torch.ones(2, 6, new.num_tokens))
    torch.testing.assert_close(found[:, :, :prefix, :prefix].sum(1), maps.weights[:, :, :prefix, :prefix].sum(1))
    even = maps._replace(weights=torch.full_like(maps.weights, 1 / old.num_tokens), row=OLD)
    if not prefix:
        torch.testing.assert_close(maps_on_grid(even, even.folds, NEW), torch.full((2, 6, 24, 24), 1 / 24))


def test_a_map_on_its_own_grid_is_itself():
    maps = RowMaps(torch.rand(1, 2, 48, 48), Grid(1, 2, 1, 0), OLD)
    assert maps_on_grid(maps, maps.folds, OLD) is maps.weights
