"""Neighborhood attention against plain loops over tokens, and against joint attention where its window is the clip."""

import itertools

import pytest
import torch
from grouped import gradients, randomised
from torch.utils._python_dispatch import TorchDispatchMode

from vidattn.attention.joint import JointAttention
from vidattn.attention.neighborhood import NeighborhoodAttention3D
from vidattn.grid import Grid
from vidattn.models.presets import build_network, preset


def random_step(*args):
    return randomised(NeighborhoodAttention3D(*args))


def window(position, length, side):
    """The paper's neighborhood on one axis: `side` positions around, moved inward at the border."""
    start = max(0, min(position - side // 2, length - side))
    return range(start, min(start + side, length))


def looped(attention, x, grid):
    """One query after the other."""
    q, k, v = attention.attn.qkv(x).unflatten(-1, (3, attention.attn.num_heads, -1)).unbind(2)  # (B, S, heads, d)
    places = list(itertools.product(*(range(n) for n in grid[:3])))
    index = {place: grid.prefix + i for i, place in enumerate(places)}
    seen = [list(range(grid.num_tokens))] * grid.prefix
    for place in places:
        axes = (window(*numbers) for numbers in zip(place, grid[:3], attention.window, strict=True))
        seen.append([index[near] for near in itertools.product(*axes)])
    rows = []
    for query, keys in enumerate(seen):
        scores = torch.einsum("bhd,bkhd->bhk", q[:, query], k[:, keys]) / q.shape[-1] ** 0.5
        rows.append(torch.einsum("bhk,bkhd->bhd", scores.softmax(-1), v[:, keys]).flatten(1))
    return attention.attn.proj(torch.stack(rows, 1))


@pytest.mark.parametrize(
    ("sides", "grid"),
    [
        ((3, 3, 5), Grid(4, 5, 7, 0)),
        ((5, 3, 3), Grid(6, 3, 4)),
        ((1, 5, 3), Grid(2, 6, 5, 4)),
        ((3, 7, 7), Grid(2, 8, 4)),  # fewer frames and columns than the window
        ((3, 1, 1), Grid(5, 2, 2)),
    ],
    ids=str,
)
def test_equals_loops_over_tokens(sides, grid):
    attention = random_step(8, 2, *sides)
    x = torch.randn(2, grid.num_tokens, 8, dtype=torch.float64)
    parameters = list(attention.parameters())
    expected = gradients(lambda x: looped(attention, x, grid), x, parameters)
    torch.testing.assert_close(gradients(lambda x: attention(x, grid), x, parameters), expected)
    torch.testing.assert_close(attention.float()(x.float(), grid), expected[0].float(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("grid", [Grid(3, 5, 5, 0), Grid(2, 4, 5, 0), Grid(1, 1, 3, 0)], ids=str)
def test_is_joint_attention_where_the_window_holds_the_clip(grid):
    attention, joint = random_step(8, 2, 3, 5, 5), JointAttention(8, 2).double()
    joint.load_state_dict(attention.state_dict())
    x = torch.randn(2, grid.num_tokens, 8, dtype=torch.float64)
    torch.testing.assert_close(attention(x, grid), joint(x, grid))


def test_moves_with_the_clip_away_from_its_borders():
    attention = random_step(8, 2, 3, 3, 5)
    clip = torch.randn(1, 6, 7, 9, 8, dtype=torch.float64)
    grid = Grid(5, 6, 8, 0)
    before = attention(clip[:, :-1, :-1, :-1].flatten(1, 3), grid).view(1, *grid[:3], 8)
    after = attention(clip[:, 1:, 1:, 1:].flatten(1, 3), grid).view(1, *grid[:3], 8)
    inner = (slice(None), slice(1, -2), slice(1, -2), slice(2, -3))
    moved = (slice(None), slice(2, -1), slice(2, -1), slice(3, -2))
    torch.testing.assert_close(before[moved], after[inner])


def test_cost_is_the_published_one():
    attention = NeighborhoodAttention3D(768, 12, 3, 7, 7)
    assert sum(p.numel() for p in attention.parameters()) == 2_362_368
    assert attention.macs(Grid(8, 14, 14, prefix=0)).total == 4_053_417_984
    with torch.device("meta"):
        spec = "vidattn.attention.neighborhood.NeighborhoodAttention3D(3,7,7)"
        network = build_network(preset("B", attention=spec, pooling="mean"))
    assert sum(p.numel() for p in network.parameters()) == 86_110_864
    assert network.macs(8, 224, 224).total == 138_351_194_112


def test_no_intermediate_holds_a_window_per_token_forward_or_backward():
    class LargestOutput(TorchDispatchMode):
        numel = 0

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            out = function(*args, **(kwargs or {}))
            tensors = out if isinstance(out, tuple | list) else [out]
            self.numel = max([self.numel, *(t.numel() for t in tensors if isinstance(t, torch.Tensor))])
            return out

    grid = Grid(8, 14, 14)
    attention, x = NeighborhoodAttention3D(128, 2, 3, 5, 5), torch.randn(1, grid.num_tokens, 128, requires_grad=True)
    with LargestOutput() as largest:
        attention(x, grid).sum().backward()
    assert largest.numel < 4 * x.numel()  # the windows of all tokens: 75 times


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="h=4 must be odd, such as 5"):
        NeighborhoodAttention3D(32, 4, 3, 4, 3)
    with pytest.raises(ValueError, match="t=-1 must be odd, such as 1"):
        NeighborhoodAttention3D(32, 4, -1, 3, 3)
    with pytest.raises(ValueError, match="dim=32 is not a multiple of num_heads=5"):
        NeighborhoodAttention3D(32, 5)
