"""Trajectory attention against the paper's equations, written out with all trajectories in memory."""

import pytest
import torch
from grouped import gradients, randomised

from vidattn.attention.parts import Parts
from vidattn.attention.query_key import QUERY_KEYS
from vidattn.attention.trajectory import TrajectoryAttention
from vidattn.grid import Grid
from vidattn.models.presets import build_network, preset


def random_step(*args, query_key="plain"):
    return randomised(TrajectoryAttention(*args, parts=Parts(query_key=QUERY_KEYS[query_key])))


def equations(attention, x, grid):
    """Equations 3 and 4 head by head; `s t` is a query's place and frame, `r u` a key's."""
    dim, head_dim = attention.dim, attention.dim // attention.attn.num_heads
    heads = [slice(start, start + head_dim) for start in range(0, dim, head_dim)]
    queries, keys, values = attention.attn.qkv(x).chunk(3, -1)
    by_head = (part.unflatten(-1, (-1, head_dim)) for part in (queries, keys))
    queries, keys = (part.flatten(2) for part in attention.attn.prepare(*by_head, grid))

    def video(tokens):
        return tokens[:, grid.prefix :].unflatten(1, (grid.frames, grid.locations))  # (B, T, N, ...)

    paths = []
    for head in heads:
        scores = torch.einsum("btsd,burd->btsur", video(queries[..., head]), video(keys[..., head])) / head_dim**0.5
        paths.append(torch.einsum("btsur,burd->btsud", scores.softmax(-1), video(values[..., head])))
    path = torch.cat(paths, -1)
    own = torch.stack([path[:, t, :, t] for t in range(grid.frames)], 1)
    (key, value), query = attention.path_kv(path).chunk(2, -1), attention.path_q(own)

    mixed = []
    for head in heads:
        along = (torch.einsum("btsd,btsud->btsu", query[..., head], key[..., head]) / head_dim**0.5).softmax(-1)
        rest = torch.einsum("btsu,btsud->btsd", along, value[..., head]).flatten(1, 2)
        scores = queries[:, : grid.prefix, head] @ keys[..., head].mT / head_dim**0.5
        mixed.append(torch.cat((scores.softmax(-1) @ values[..., head], rest), 1))
    return attention.attn.proj(torch.cat(mixed, -1))


@pytest.mark.parametrize("grid", [Grid(3, 2, 4), Grid(4, 3, 1, 0), Grid(2, 3, 3, 4), Grid(1, 2, 2)], ids=str)
@pytest.mark.parametrize("query_key", ["plain", "norm+rotary"])
def test_equals_the_equations_of_the_paper(grid, query_key):
    attention = random_step(12, 2, query_key=query_key)
    x = torch.randn(2, grid.num_tokens, 12, dtype=torch.float64)
    parameters = list(attention.parameters())
    expected = gradients(lambda x: equations(attention, x, grid), x, parameters)
    torch.testing.assert_close(gradients(lambda x: attention(x, grid), x, parameters), expected)
    with torch.no_grad():  # another kernel
        torch.testing.assert_close(attention(x, grid), expected[0])
        torch.testing.assert_close(attention.float()(x.float(), grid), expected[0].float(), rtol=1e-5, atol=1e-5)


def test_a_still_clip_is_mixed_as_one_of_its_frames():
    """Every frame shows a token the same thing, so its path is constant, however long."""
    attention, frame = random_step(8, 2), torch.randn(1, 6, 8, dtype=torch.float64)
    one = attention(frame, Grid(1, 2, 3, 0))
    torch.testing.assert_close(attention(frame.repeat(1, 4, 1), Grid(4, 2, 3, 0)), one.repeat(1, 4, 1))


def test_cost_is_the_published_one():
    attention, grid = TrajectoryAttention(768, 12), Grid(8, 14, 14)
    assert sum(p.numel() for p in attention.parameters()) == 7 * 768**2 + 7 * 768
    m, t, d = 1568, 8, 768
    spatial = 4 * (m + 1) * d**2 + 2 * (m + 1) * d + 2 * m**2 * d
    assert attention.macs(grid).total == spatial + m * d**2 + 2 * m * t * d**2 + 2 * m * t * d
    with torch.device("meta"):
        network = build_network(preset("B", attention="vidattn.attention.trajectory.TrajectoryAttention"))
    assert sum(p.numel() for p in network.parameters()) == 107_373_712
    assert network.macs(8, 224, 224).total == 368_433_297_408


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="dim=32 is not a multiple of num_heads=5"):
        TrajectoryAttention(32, 5)
