"""MViTv2 against torchvision's, built for each size, and against a plain loop."""

import itertools

import pytest
import torch
from torchvision.models.video.mvit import MSBlockConfig, MViT

from vidattn.attention.multiscale import MultiscaleAttention
from vidattn.attention.relative_positions import offset_vectors
from vidattn.checkpoints.sources import torchvision_mvit
from vidattn.flops import count
from vidattn.grid import Grid
from vidattn.models.presets import build_network, preset


def blocks(depths=(1, 2, 1), width=8):
    """torchvision's settings of blocks: widths and heads double, keys' strides halve from stage to stage."""
    settings, last = [], width
    for stage, depth in enumerate(depths):
        for place in range(depth):
            stride = 2 ** (len(depths) - 1 - stage)
            settings.append(MSBlockConfig(
                2**stage, last, width * 2**stage, [3, 3, 3], [3, 3, 3],
                [1, 2, 2] if stage and not place else [1, 1, 1], [1, stride, stride],
            ))  # fmt: skip
            last = width * 2**stage
    return settings


def theirs_at(frames, height, width, settings=None):
    torch.manual_seed(0)
    theirs = MViT((height, width), frames, settings or blocks(), residual_pool=True, residual_with_cls_embed=False,
                  rel_pos_embed=True, proj_after_attn=True, num_classes=5).eval()  # fmt: skip
    for name, parameter in theirs.named_parameters():
        torch.nn.init.normal_(parameter, 1.0 if "norm" in name and "weight" in name else 0.0, std=0.2)
    return theirs


def ours_of(theirs):
    saved = torchvision_mvit.read(theirs.state_dict(), None)
    network = build_network(saved.config).eval()
    network.load_state_dict(saved.state)
    return network


def test_parameters_and_cost_are_the_published_ones():
    cost = count(preset("mvit-v2-s"))
    assert cost.parameters == 34_537_744
    assert round(cost.macs / 1e9, 3) == 64.224


# Square, wide and high maps; maps that strides do not divide; rows that convolutions round up and tables down.
@pytest.mark.parametrize("size", [(4, 32, 32), (8, 48, 32), (4, 32, 64), (6, 36, 20), (2, 60, 60)])
def test_answers_are_torchvisions_at_its_size(size):
    theirs = theirs_at(*size)
    ours, clips = ours_of(theirs), torch.randn(2, 3, *size)
    with torch.no_grad():
        torch.testing.assert_close(ours(clips), theirs(clips), rtol=1e-5, atol=1e-5)


def test_slopes_are_torchvisions():
    theirs = theirs_at(4, 32, 48).double()
    ours, clips = ours_of(theirs).double(), torch.randn(1, 3, 4, 32, 48, dtype=torch.float64)
    for network in (ours, theirs):
        network(clips).square().sum().backward()
    wanted = dict(theirs.named_parameters())
    names = torchvision_mvit.stage_names((1, 2, 1), torchvision_mvit.LAYERS) | torchvision_mvit.ENDS
    for name, parameter in ours.named_parameters():
        layer, _, part = name.rpartition(".")
        theirs_name = names[name] if name in names else f"{names[layer]}.{part}"
        found = wanted[theirs_name].grad.reshape(parameter.shape)
        torch.testing.assert_close(parameter.grad, found, msg=name)


def test_one_of_the_published_widths_answers_as_torchvisions():
    """The builder takes 224 pixels alone; by hand the class takes the sizes of the published network, and others."""
    settings = []
    stages = [(1, 96, 96, 1, 8), *[(2, 192, 192, 1, 4)] * 2, *[(4, 384, 384, 1, 2)] * 3, *[(8, 768, 768, 1, 1)] * 2]
    last = 96
    for heads, _, width, _, stride in stages:
        queries = [1, 2, 2] if width != last else [1, 1, 1]
        settings.append(MSBlockConfig(heads, last, width, [3, 3, 3], [3, 3, 3], queries, [1, stride, stride]))
        last = width
    theirs = theirs_at(2, 64, 96, settings)
    for parameter in theirs.parameters():
        parameter.data *= 0.2
    ours, clips = ours_of(theirs), torch.randn(1, 3, 2, 64, 96)
    assert ours.config.num_heads == preset("mvit-v2-s").num_heads
    with torch.no_grad():
        torch.testing.assert_close(ours(clips), theirs(clips), rtol=1e-5, atol=1e-5)


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


def test_offsets_are_counted_in_steps_of_the_longer_map():
    table = torch.arange(111.0)[:, None]
    found = offset_vectors(table, 56, 7).squeeze(-1)
    assert (found.min(), found.max()) == (0, 103)  # not centred, as in MViTv2's code
    assert offset_vectors(table, 56, 56).squeeze(-1)[3].tolist() == [3.0 + 55 - j for j in range(56)]
