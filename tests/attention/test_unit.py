"""Hiera's units against dense attention with a mask; its package: tests/models/test_hiera.py."""

import itertools

import pytest
import torch

from vidattn.attention.unit import WHOLE, UnitAttention
from vidattn.grid import Grid


@pytest.mark.parametrize("unit", [(1, 2, 2), (2, 3, 2), (WHOLE, WHOLE, WHOLE)])
@pytest.mark.parametrize("grid", [Grid(3, 4, 6, prefix=0), Grid(2, 5, 3), Grid(1, 2, 2, prefix=3)], ids=str)
def test_tokens_of_one_unit_attend_to_each_other_alone(unit, grid):
    torch.manual_seed(0)
    attention = UnitAttention(8, 2, *unit).double()
    x = torch.randn(2, grid.num_tokens, 8, dtype=torch.float64)
    homes = [tuple(at // side for at, side in zip(place, unit, strict=True))
             for place in itertools.product(*map(range, grid.sides()))]  # fmt: skip
    apart = torch.zeros(grid.num_tokens, grid.num_tokens, dtype=torch.bool)
    apart[grid.prefix :, : grid.prefix] = True
    apart[grid.prefix :, grid.prefix :] = torch.tensor([[one != other for other in homes] for one in homes])
    q, k, v = attention.attn.qkv(x).unflatten(-1, (3, 2, 4)).permute(2, 0, 3, 1, 4)
    scores = (q @ k.mT / 2).masked_fill(apart, -torch.inf)
    wanted = attention.attn.proj((scores.softmax(-1) @ v).transpose(1, 2).flatten(2))
    torch.testing.assert_close(attention(x, grid), wanted)


def test_queries_are_maxima_and_tokens_leave_wider():
    torch.manual_seed(0)
    attention, grid = UnitAttention(4, 2, out_dim=8, query_stride=(1, 2, 2)), Grid(1, 4, 4, prefix=0)
    x = torch.randn(1, 16, 4)
    q, k, v = attention.attn.qkv(x).unflatten(-1, (3, 2, 4)).permute(2, 0, 3, 1, 4)  # (1, heads, 16, d)
    squares = q.view(1, 2, 2, 2, 2, 2, 4)  # row, row within, column, column within
    pooled = squares.amax((3, 5)).flatten(2, 3)
    wanted = attention.attn.proj(((pooled @ k.mT / 2).softmax(-1) @ v).transpose(1, 2).flatten(2))
    torch.testing.assert_close(attention(x, grid), wanted)
    assert attention.grid_after(grid) == Grid(1, 2, 2, prefix=0)
