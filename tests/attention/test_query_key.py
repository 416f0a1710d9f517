"""Rotary positions and norms of queries and keys, against the equations, HF's RoFormer and a dense oracle."""

import math

import pytest
import torch
from torch import nn

from vidattn.attention.heads import SelfAttention
from vidattn.attention.parts import Parts
from vidattn.attention.query_key import QUERY_KEYS, QueryKeyNorm, Rotary3D, ScaledRotary3D, TiledRotary3D
from vidattn.attention.scheme import parse_scheme
from vidattn.grid import Grid

DIM, HEADS, WIDTH = 28, 2, 14  # 14 components: two pairs for each axis, two that do not turn
DOUBLE = torch.float64


def loops(x, places):
    """Tokens `(n, heads, d)` turned at places `(n, 3)`, one pair of components at a time."""
    out, pairs = x.clone(), x.shape[-1] // 6
    for token, place in enumerate(places):
        for axis in range(3):
            for pair in range(pairs):
                angle = max(int(place[axis]), 0) / 10000 ** (pair / pairs)
                first = 2 * (axis * pairs + pair)
                a, b = x[token, :, first], x[token, :, first + 1]
                out[token, :, first] = a * math.cos(angle) - b * math.sin(angle)
                out[token, :, first + 1] = a * math.sin(angle) + b * math.cos(angle)
    return out


def test_rotary_is_plain_loops_over_tokens_axes_and_pairs():
    grid = Grid(2, 3, 4, prefix=2)
    q, k = torch.randn(2, 3, grid.num_tokens, HEADS, WIDTH, dtype=DOUBLE)
    turned = Rotary3D(WIDTH)(q, k, grid)
    places = [(-1, -1, -1)] * 2 + [(t, h, w) for t in range(2) for h in range(3) for w in range(4)]
    for ours, x in zip(turned, (q, k), strict=True):
        torch.testing.assert_close(ours, torch.stack([loops(row, places) for row in x]))


def tiled_loops(x, places):
    """The same as V-JEPA 2 does: component j of an axis takes the angle of frequency j modulo the number of pairs."""
    out, pairs = x.clone(), x.shape[-1] // 6
    for token, place in enumerate(places):
        for axis in range(3):
            for j in range(2 * pairs):
                angle = max(int(place[axis]), 0) / 10000 ** (j % pairs / pairs)
                here = 2 * axis * pairs + j
                other = -x[token, :, here + 1] if j % 2 == 0 else x[token, :, here - 1]
                out[token, :, here] = x[token, :, here] * math.cos(angle) + other * math.sin(angle)
    return out


@pytest.mark.parametrize("sides", [(2, 3, 4), (3, 1, 5), (1, 4, 1)])
def test_tiled_rotary_is_plain_loops_over_tokens_axes_and_components(sides):
    grid = Grid(*sides, prefix=1)
    q, k = torch.randn(2, 3, grid.num_tokens, HEADS, WIDTH, dtype=DOUBLE)
    places = [(-1, -1, -1), *((t, h, w) for t in range(sides[0]) for h in range(sides[1]) for w in range(sides[2]))]
    for ours, x in zip(TiledRotary3D(WIDTH)(q, k, grid), (q, k), strict=True):
        torch.testing.assert_close(ours, torch.stack([tiled_loops(row, places) for row in x]))


def test_tiled_rotary_knows_where_a_token_is_and_rotary_how_far_apart_two_are():
    grid = Grid(1, 1, 6, prefix=0)
    q, k = torch.randn(2, 1, 1, 1, 24, dtype=DOUBLE).expand(2, 1, 6, 1, 24)
    for part, moves in ((Rotary3D(24), False), (TiledRotary3D(24), True)):
        scores = torch.einsum("bihd,bjhd->ij", *part(q, k, grid))
        along = scores.diagonal(1)  # of neighbours
        assert (along.std() > 1e-3) == moves


@pytest.mark.parametrize("sides", [(3, 16, 16), (2, 31, 16), (2, 1, 16)])
def test_scaled_rotary_is_rotary_of_a_map_with_16_rows_and_columns(sides):
    """At 16 x 16 nothing is scaled; at 31 rows every second one stands where the 16 did; one row stands at 0."""
    grid, native = Grid(*sides, prefix=0), Grid(sides[0], 16, 16, prefix=0)
    q, k = torch.randn(2, 1, grid.num_tokens, 1, 24, dtype=DOUBLE)
    step = max(1, (sides[1] - 1) // 15)

    def rows(x, sides):
        return x.unflatten(1, sides)

    for ours, x in zip(ScaledRotary3D(24)(q, k, grid), (q, k), strict=True):
        some = torch.zeros(1, *native.sides(), 1, 24, dtype=DOUBLE)
        some[:, :, : (sides[1] + step - 1) // step] = rows(x, sides)[:, :, ::step]
        wanted, _ = Rotary3D(24)(some.flatten(1, 3), some.flatten(1, 3), native)
        found = rows(ours, sides)[:, :, ::step]
        torch.testing.assert_close(found, rows(wanted, native.sides())[:, :, : found.shape[2]])


def test_along_one_axis_rotary_is_hf_roformers():
    roformer = pytest.importorskip("transformers.models.roformer.modeling_roformer")
    q, k = torch.randn(2, 1, 9, HEADS, 24)  # four pairs turn with time
    ours = Rotary3D(24)(q, k, Grid(9, 1, 1, prefix=0))
    table = roformer.RoFormerSinusoidalPositionalEmbedding(16, 8)
    table.weight.data = table.create_weight()
    theirs = roformer.RoFormerSelfAttention.apply_rotary_position_embeddings(
        table((1, 9))[None, None], q[..., :8].transpose(1, 2), k[..., :8].transpose(1, 2)
    )
    for turned, x, expected in zip(ours, (q, k), theirs, strict=True):
        torch.testing.assert_close(turned[..., :8], expected.transpose(1, 2))
        assert torch.equal(turned[..., 8:], x[..., 8:])


def test_scores_depend_on_how_far_apart_tokens_are_and_on_nothing_else():
    grid = Grid(3, 4, 5, prefix=0)
    q, k = torch.randn(2, WIDTH, dtype=DOUBLE).expand(1, grid.num_tokens, 1, 2, WIDTH).unbind(3)
    q, k = Rotary3D(WIDTH)(q, k, grid)
    scores = q[0, :, 0] @ k[0, :, 0].T
    places = grid.positions()
    by_offset: dict[tuple[int, ...], list[float]] = {}
    for i, here in enumerate(places):
        for j, there in enumerate(places):
            by_offset.setdefault(tuple((here - there).tolist()), []).append(scores[i, j].item())
    assert all(max(values) - min(values) < 1e-12 for values in by_offset.values())
    means = torch.tensor([values[0] for values in by_offset.values()])
    assert len(means) == 5 * 7 * 9
    assert means.unique().numel() > 300  # and other offsets give other scores


def test_turning_keeps_lengths():
    q, k = torch.randn(2, 2, 12, HEADS, WIDTH, dtype=DOUBLE)
    for turned, x in zip(Rotary3D(WIDTH)(q, k, Grid(3, 2, 2, 0)), (q, k), strict=True):
        torch.testing.assert_close(turned.norm(dim=-1), x.norm(dim=-1))


def test_a_clip_of_another_size_needs_no_table():
    """The first frames, rows and columns of a larger clip are turned as those of a small one: no interpolation."""
    small, large = Grid(2, 2, 3, 0), Grid(4, 5, 6, 0)
    x = torch.randn(1, large.num_tokens, HEADS, WIDTH, dtype=DOUBLE)

    def corner(x):
        return x.unflatten(1, large[:3])[:, :2, :2, :3].flatten(1, 3)

    turned, _ = Rotary3D(WIDTH)(x, x, large)
    torch.testing.assert_close(corner(turned), Rotary3D(WIDTH)(corner(x), corner(x), small)[0])


def test_bf16_turns_by_exact_angles():
    grid = Grid(512, 1, 1, 0)
    x = torch.randn(1, 512, 1, 12).bfloat16()
    rough, _ = Rotary3D(12)(x, x, grid)
    exact, _ = Rotary3D(12)(x.double(), x.double(), grid)
    assert rough.dtype == torch.bfloat16
    assert (rough.double() - exact).abs().max() < 0.02


def test_a_narrow_head_is_refused():
    with pytest.raises(ValueError, match="a head of 4 is narrower than 6"):
        Rotary3D(4)
    with pytest.raises(ValueError, match="a head of 5 is narrower than 6"):
        TiledRotary3D(5)


def test_norms_are_layer_norms_over_each_head():
    part = QueryKeyNorm(WIDTH)
    for parameter in part.parameters():
        nn.init.normal_(parameter)
    q, k = torch.randn(2, 3, 5, HEADS, WIDTH)
    for ours, x, norm in zip(part(q, k, Grid(1, 1, 5, 0)), (q, k), (part.query, part.key), strict=True):
        centred = x - x.mean(-1, keepdim=True)
        expected = centred / (centred.square().mean(-1, keepdim=True) + 1e-6).sqrt() * norm.weight + norm.bias
        torch.testing.assert_close(ours, expected)


def test_with_norms_the_scale_of_queries_and_keys_makes_no_difference():
    torch.manual_seed(0)
    attention = SelfAttention(DIM, HEADS, parts=Parts(query_key=QUERY_KEYS["norm"])).double()
    x = torch.randn(2, 6, DIM, dtype=DOUBLE)
    before = attention(x)
    attention.qkv.weight.data[: 2 * DIM] *= 1000
    torch.testing.assert_close(attention(x), before, rtol=1e-3, atol=1e-3)


# One clip, every pair of tokens scored with rotary positions of the whole clip, and a mask for the step.
def near(a, b, sides, grid):
    starts = [max(0, min(q - side // 2, n - side)) for q, side, n in zip(a, sides, grid, strict=True)]
    return all(start <= key < start + side for start, key, side in zip(starts, b, sides, strict=True))


def quadrant(place, grid):
    return tuple(2 * x >= n + n % 2 for x, n in zip(place[1:], grid[1:3], strict=True))


MASKS = {
    "joint": lambda a, b, grid: True,
    "time": lambda a, b, grid: a[1:] == b[1:],
    "temporal": lambda a, b, grid: a[1:] == b[1:],
    "space": lambda a, b, grid: a[0] == b[0],
    "width": lambda a, b, grid: a[:2] == b[:2],
    "height": lambda a, b, grid: (a[0], a[2]) == (b[0], b[2]),
    "local": lambda a, b, grid: quadrant(a, grid) == quadrant(b, grid),
    "global": lambda a, b, grid: all((x - y) % 2 == 0 for x, y in zip(a, b, strict=True)),
    "window(2,2,3)": lambda a, b, grid: all(x // s == y // s for x, y, s in zip(a, b, (2, 2, 3), strict=True)),
    "neighborhood(3,3,3)": lambda a, b, grid: near(a, b, (3, 3, 3), grid[:3]),
}


@pytest.mark.parametrize("spec", MASKS)
@pytest.mark.parametrize("query_key", ["rotary", "norm+rotary"])
def test_a_step_scores_tokens_as_dense_attention_with_places_in_the_whole_clip(spec, query_key):
    torch.manual_seed(0)
    grid = Grid(4, 3, 5, prefix=0)
    step = parse_scheme(spec).steps[0].build(DIM, HEADS, parts=Parts(query_key=QUERY_KEYS[query_key])).double()
    for parameter in step.parameters():
        nn.init.normal_(parameter, std=0.4)
    if "window" in spec:
        step.bias.data.zero_()
    x = torch.randn(1, grid.num_tokens, DIM, dtype=DOUBLE)

    places = grid.positions()
    q, k, v = step.attn.qkv(x)[0].view(-1, 3, HEADS, WIDTH).unbind(1)
    if query_key == "norm+rotary":
        q, k = step.attn.query_key[0](q, k, grid)
    turns = places // 2 if spec == "global" else places  # it counts in its own steps
    scores = torch.einsum("ihd,jhd->hij", loops(q, turns), loops(k, turns)) / math.sqrt(WIDTH)
    sees = [[MASKS[spec](tuple(a), tuple(b), grid) for b in places.tolist()] for a in places.tolist()]
    weights = scores.masked_fill(~torch.tensor(sees), -math.inf).softmax(-1)
    expected = step.attn.proj(torch.einsum("hij,jhd->ihd", weights, v).flatten(1))
    if hasattr(step, "fc"):
        expected = step.fc(expected)
    torch.testing.assert_close(step(x, grid)[0], expected)


def test_plain_has_no_parts_and_no_names():
    assert QUERY_KEYS["plain"] == ()
    attention = SelfAttention(DIM, HEADS, parts=Parts(query_key=QUERY_KEYS["plain"]))
    assert list(attention.state_dict()) == ["qkv.weight", "qkv.bias", "proj.weight", "proj.bias"]
