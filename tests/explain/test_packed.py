import pytest
import torch

from vidattn.explain.packed import packed, pooled_keys, unpacked
from vidattn.grid import Grid


def test_weights_come_back_within_the_stated_error():
    weights = torch.rand(5, 7).softmax(1) * torch.tensor([1.0, 0.01, 0.0, 2.0, 1.0])[:, None]
    made = packed(weights)
    difference = (unpacked(made.text, 5) - weights).abs()
    assert difference.max().item() == pytest.approx(made.error, abs=1e-7)
    assert (difference <= weights.amax(1, keepdim=True) / 510 + 1e-7).all()


def test_pooled_keys_are_sums_over_squares_and_lose_nothing():
    grid = Grid(2, 3, 4, prefix=1)
    weights = torch.rand(5, grid.num_tokens)
    made = pooled_keys(weights, grid, 2)
    assert made.shape == (5, 1 + 2 * 2 * 2)
    torch.testing.assert_close(made.sum(1), weights.sum(1))
    torch.testing.assert_close(made[:, 0], weights[:, 0])
    video = weights[:, 1:].unflatten(1, (2, 3, 4))
    torch.testing.assert_close(made[:, 1 + 4 + 3], video[:, 1, 2:, 2:].sum((1, 2)))
