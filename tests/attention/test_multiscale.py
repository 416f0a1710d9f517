"""MViTv2's attention on any map against a plain loop; torchvision: tests/models/test_mvit.py."""

import itertools

import pytest
import torch

from vidattn.attention.multiscale import MultiscaleAttention
from vidattn.grid import Grid


def looped(attention, x, grid):
    """What the paper says, query by query and key by key, of a step that keeps its map."""
    heads = attention.attn.num_heads
    q, k, v = attention.attn.qkv(x).unflatten(-1, (3, heads, -1)).unbind(1)  # (S, heads, d)

    def shrunk(y, pool, norm):
        maps = y[grid.prefix :].unflatten(0, grid.sides()).permute(3, 4, 0, 1, 2)  # (heads, d, T, H, W)
        maps = torch.stack([torch.nn.functional.conv3d(one[None], pool.weight, None, pool.stride, 1, 1, one.shape[0])[0]
                            for one in maps])  # fmt: skip
        return norm(y[: grid.prefix]), norm(maps.permute(2, 3, 4, 0, 1))

    (q0, q1), (k0, k1), (v0, v1) = (
        shrunk(y, pool, norm)
        for y, pool, norm in (
            (q, attention.pool_q, attention.norm_q),
            (k, attention.pool_k, attention.norm_k),
            (v, attention.pool_v, attention.norm_v),
        )
    )
    tables = [attention.relative.time, attention.relative.height, attention.relative.width]
    places = list(itertools.product(*map(range, k1.shape[:3])))
    out = []
    for number, query in enumerate([*q0, *q1.flatten(0, 2)]):
        at = number - grid.prefix
        scores = [(query * key).sum(-1) * query.shape[-1] ** -0.5 for key in k0]
        for place in places:
            score = (query * k1[place]).sum(-1) * query.shape[-1] ** -0.5
            if at >= 0:
                own = (at // grid.locations, at // grid.width % grid.height, at % grid.width)
                for i, j, many, few, table in zip(own, place, grid.sides(), k1.shape, tables, strict=False):
                    resized = torch.nn.functional.interpolate(table.mT[None], 2 * many - 1, mode="linear")[0].mT
                    score = score + query @ resized[int(i + (few - 1 - j) * many / few)]
            scores.append(score)
        weights = torch.stack(scores).softmax(0)
        values = torch.cat((v0, torch.stack([v1[place] for place in places])))
        mixed = (weights[..., None] * values).sum(0)
        out.append((mixed + query if at >= 0 else mixed).flatten())
    return attention.attn.proj(torch.stack(out))


@pytest.mark.parametrize("grid", [Grid(3, 4, 6), Grid(2, 5, 3, prefix=0), Grid(1, 2, 2, prefix=2)], ids=str)
def test_on_any_map_it_is_what_the_paper_says(grid):
    torch.manual_seed(0)
    attention = MultiscaleAttention(12, 2, 1, 2, 2, grid=Grid(2, 4, 4)).double()
    for parameter in attention.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    x = torch.randn(1, grid.num_tokens, 12, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(attention(x, grid)[0], looped(attention, x[0], grid))
