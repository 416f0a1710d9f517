"""Pooling attention against torchvision's MViT, and against plain sums over the taps of its convolutions."""

import itertools

import pytest
import torch
import torch.nn.functional as F
from grouped import gradients, randomised
from torchvision.models.video.mvit import MultiscaleAttention

from vidattn.attention.pooled import PooledAttention
from vidattn.grid import Grid
from vidattn.models.presets import build_network, preset


def random_step(*args):
    return randomised(PooledAttention(*args))


def looped(attention, x, grid):
    """Head by head, one pooled token after the other: a sum over the tokens around a place that the stride keeps."""
    head_dim = attention.dim // attention.attn.num_heads
    queries, keys, values = attention.attn.qkv(x).chunk(3, -1)
    places = list(itertools.product(*(range(n) for n in grid[:3])))
    index = {place: grid.prefix + i for i, place in enumerate(places)}

    def pooled(tokens, pool, norm):
        short = [tokens[:, i] for i in range(grid.prefix)]
        for centre in itertools.product(*(range(0, n, s) for n, s in zip(grid[:3], attention.stride, strict=True))):
            taps = itertools.product(range(3), repeat=3)
            near = [(tap, tuple(c + a - 1 for c, a in zip(centre, tap, strict=True))) for tap in taps]
            short.append(
                sum(tokens[:, index[p]] * pool.weight[(slice(None), 0, *tap)] for tap, p in near if p in index)
            )
        return F.layer_norm(torch.stack(short, 1), (head_dim,), norm.weight, norm.bias, 1e-6)

    mixed = []
    for start in range(0, attention.dim, head_dim):
        head = slice(start, start + head_dim)
        key = pooled(keys[..., head], attention.pool_k, attention.norm_k)
        value = pooled(values[..., head], attention.pool_v, attention.norm_v)
        mixed.append((queries[..., head] @ key.mT / head_dim**0.5).softmax(-1) @ value)
    return attention.attn.proj(torch.cat(mixed, -1))


@pytest.mark.parametrize(
    ("stride", "grid"),
    [
        ((1, 2, 2), Grid(2, 3, 4, 4)),
        ((2, 1, 3), Grid(3, 2, 5, 0)),
        ((1, 4, 4), Grid(1, 5, 8)),
        ((3, 3, 3), Grid(2, 2, 2)),
    ],
    ids=str,
)
def test_equals_sums_over_taps(stride, grid):
    attention = random_step(8, 2, *stride)
    x = torch.randn(2, grid.num_tokens, 8, dtype=torch.float64)
    parameters = list(attention.parameters())
    expected = gradients(lambda x: looped(attention, x, grid), x, parameters)
    torch.testing.assert_close(gradients(lambda x: attention(x, grid), x, parameters), expected)
    with torch.no_grad():  # another kernel
        torch.testing.assert_close(attention(x, grid), expected[0])
        torch.testing.assert_close(attention.float()(x.float(), grid), expected[0].float(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("stride", [(1, 2, 2), (2, 4, 4)])
def test_equals_torchvision_with_its_class_token(stride):
    attention, size = random_step(16, 2, *stride), (4, 8, 9)
    theirs = MultiscaleAttention(
        [*size],
        embed_dim=16,
        output_dim=16,
        num_heads=2,
        kernel_q=[1, 1, 1],
        kernel_kv=[3, 3, 3],
        stride_q=[1, 1, 1],
        stride_kv=[*stride],
        residual_pool=False,
        residual_with_cls_embed=False,
        rel_pos_embed=False,
        norm_layer=lambda width: torch.nn.LayerNorm(width, eps=1e-6),
    ).double()
    names = {"attn.qkv": "qkv", "attn.proj": "project.0", "pool_k": "pool_k.pool", "pool_v": "pool_v.pool"}
    names |= {"norm_k": "pool_k.norm_act.0", "norm_v": "pool_v.norm_act.0"}
    split = {name: name.rpartition(".") for name in attention.state_dict()}
    theirs.load_state_dict({f"{names[split[n][0]]}.{split[n][2]}": w for n, w in attention.state_dict().items()})
    grid = Grid(*size)
    x = torch.randn(2, grid.num_tokens, 16, dtype=torch.float64)
    ours = gradients(lambda x: attention(x, grid), x, [attention.attn.qkv.weight, attention.pool_k.weight])
    parts = [theirs.qkv.weight, theirs.pool_k.pool.weight]
    torch.testing.assert_close(ours, gradients(lambda x: theirs(x, size)[0], x, parts))


def test_cost_is_the_published_one():
    attention = PooledAttention(768, 12, 1, 2, 2)
    assert sum(p.numel() for p in attention.parameters()) == 2_366_080 == 4 * 768**2 + 4 * 768 + 54 * 64 + 4 * 64
    assert attention.macs(Grid(8, 14, 14, prefix=0)).total == 4_659_744_768
    with torch.device("meta"):
        network = build_network(
            preset("B", attention="vidattn.attention.pooled.PooledAttention(1,2,2)", pooling="mean")
        )
    assert sum(p.numel() for p in network.parameters()) == 86_155_408
    assert network.macs(8, 224, 224).total == 145_627_115_520


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match=r"w=0 must be at least 1"):
        PooledAttention(32, 4, 1, 2, 0)
    with pytest.raises(ValueError, match="dim=32 is not a multiple of num_heads=5"):
        PooledAttention(32, 5)
