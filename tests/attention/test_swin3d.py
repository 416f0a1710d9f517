"""Video Swin's windows on clips that they do not fill, against a plain loop; torchvision: tests/models/test_swin.py."""

import itertools

import pytest
import torch
from torch import Tensor

from vidattn.attention.swin3d import ShiftedSwinAttention3D, SwinAttention3D
from vidattn.grid import Grid


def looped(attention, x: Tensor, grid: Grid, shifted: bool) -> Tensor:
    """What the paper draws: each token with those of its window, by loops over tokens, with zeros around the clip."""
    sides = [min(own, length) for own, length in zip(attention.window, grid.sides(), strict=True)]
    shift = [side // 2 if shifted and length > side else 0
             for side, length in zip(attention.window, grid.sides(), strict=True)]  # fmt: skip
    lengths = [-(-length // side) * side for length, side in zip(grid.sides(), sides, strict=True)]
    filled = torch.zeros(*lengths, x.shape[-1], dtype=x.dtype)
    filled[: grid.frames, : grid.height, : grid.width] = x.unflatten(0, grid.sides())
    q, k, v = attention.attn.qkv(filled).unflatten(-1, (3, attention.attn.num_heads, -1)).unbind(3)

    def home(place):
        windows = []
        for at, length, side, moved in zip(place, lengths, sides, shift, strict=True):
            rolled = (at - moved) % length
            windows.append((rolled // side, at < moved))  # what lies before the shift was rolled to the end
        return tuple(windows)

    places = list(itertools.product(*map(range, lengths)))
    out = torch.zeros(*lengths, x.shape[-1], dtype=x.dtype)
    middle = [side - 1 for side in attention.window]
    for place in itertools.product(*map(range, grid.sides())):
        seen = [one for one in places if home(one) == home(place)]
        scores = []
        for other in seen:
            offset = [a - b + m for a, b, m in zip(place, other, middle, strict=True)]
            scores.append((q[place] * k[other]).sum(-1) * q.shape[-1] ** -0.5 + attention.bias[:, *offset])
        weights = torch.stack(scores).softmax(0)
        out[place] = sum(w[:, None] * v[other] for w, other in zip(weights, seen, strict=True)).flatten()
    return attention.attn.proj(out[: grid.frames, : grid.height, : grid.width]).flatten(0, 2)


@pytest.mark.parametrize("shifted", [False, True])
@pytest.mark.parametrize("size", [(3, 2, 5), (2, 4, 2), (5, 3, 4)])
def test_on_maps_smaller_than_a_window_offsets_are_the_right_ones(shifted, size):
    torch.manual_seed(0)
    attention = (ShiftedSwinAttention3D if shifted else SwinAttention3D)(8, 2, 2, 3, 3).double()
    for parameter in attention.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    grid = Grid(*size, prefix=0)
    x = torch.randn(1, grid.num_tokens, 8, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(attention(x, grid)[0], looped(attention, x[0], grid, shifted))
