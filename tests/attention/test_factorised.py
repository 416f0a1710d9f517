import pytest
import torch
from grouped import GRIDS, assert_same, by_groups, measured, randomised, torchs

from vidattn.attention.factorised import PlainTemporalAttention, SplitHeadsAttention
from vidattn.attention.parts import Parts
from vidattn.attention.query_key import QUERY_KEYS
from vidattn.attention.scheme import parse_scheme
from vidattn.attention.spatial import SpatialAttention
from vidattn.grid import Grid
from vidattn.models.presets import build_network, preset

grids = pytest.mark.parametrize("grid", GRIDS, ids=str)


@grids
def test_plain_temporal_is_a_loop_over_locations(grid):
    step = randomised(PlainTemporalAttention(24, 3))
    x = torch.randn(2, grid.num_tokens, 24, dtype=torch.float64, requires_grad=True)
    reference = torchs(step.attn)
    expected = by_groups(reference, x, grid, lambda t, h, w: (h, w), with_prefix=False)
    assert_same(step, reference, x, grid, expected)


def test_plain_temporal_starts_as_no_update_and_still_trains():
    grid = Grid(3, 2, 2)
    step = PlainTemporalAttention(64)
    x = torch.randn(1, grid.num_tokens, 64)
    assert not step(x, grid).any()
    optimizer = torch.optim.SGD(step.parameters(), lr=0.1)
    for _ in range(2):  # the first step moves the projection, the second everything before it
        optimizer.zero_grad()
        (step(x, grid) - 1).square().sum().backward()
        optimizer.step()
    assert step.attn.qkv.weight.grad.abs().sum() > 0


@grids
@pytest.mark.parametrize(("heads", "in_space"), [(2, 1), (3, 2), (4, 2)])
@pytest.mark.parametrize("query_key", ["plain", "norm+rotary"])
def test_split_heads_is_loops_over_frames_and_locations(grid, heads, in_space, query_key):
    step = SplitHeadsAttention(24, heads, parts=Parts(query_key=QUERY_KEYS[query_key]))
    step = randomised(step)
    x = torch.randn(2, grid.num_tokens, 24, dtype=torch.float64, requires_grad=True)
    mixed = [[[] for _ in range(heads)] for _ in range(grid.num_tokens)]  # of a token and a head: in each group
    prefix = list(range(grid.prefix))
    video = torch.arange(grid.num_video_tokens).add(grid.prefix).view(grid.frames, grid.locations)
    frames = [prefix + indices for indices in video.tolist()]
    tubes = video.T.tolist()
    q, k, v = (part.unflatten(-1, (heads, -1)) for part in step.qkv(x).split(24, dim=-1))
    q, k, v = (part.unbind(2) for part in (*step.prepare(q, k, grid), v))
    for head in range(heads):
        for group in frames if head < in_space else tubes:
            for query in group:
                scores = torch.stack([(q[head][:, query] * k[head][:, key]).sum(-1) for key in group], dim=-1)
                weights = (scores / (24 / heads) ** 0.5).softmax(-1)
                mixed[query][head].append((weights[..., None] * v[head][:, group]).sum(1))
    zero = torch.zeros(2, 24 // heads, dtype=torch.float64)
    tokens = [torch.cat([sum(of, zero) / max(len(of), 1) for of in token], dim=-1) for token in mixed]
    expected = step.proj(torch.stack(tokens, dim=1))

    update = step(x, grid)
    torch.testing.assert_close(update, expected)
    weights = torch.randn_like(update)
    inputs = (x, step.qkv.weight)
    ours = torch.autograd.grad((update * weights).sum(), inputs, retain_graph=True)
    torch.testing.assert_close(ours, torch.autograd.grad((expected * weights).sum(), inputs))


def test_heads_that_cannot_be_split_are_refused():
    with pytest.raises(ValueError, match="num_heads=1 cannot be split between space and time; give 2 or more"):
        SplitHeadsAttention(64, 1)
    with pytest.raises(ValueError, match="dim=50 is not a multiple of num_heads=4"):
        SplitHeadsAttention(50, 4)


def test_both_have_the_reference_parameters_and_macs():
    grid = Grid(8, 14, 14, prefix=0)
    model_3 = [SpatialAttention(768), PlainTemporalAttention(768)]
    assert measured(model_3, grid) == (4_724_736, 7_890_075_648)
    assert measured([SplitHeadsAttention(768)], grid) == (2_362_368, 3_945_037_824)


@pytest.mark.parametrize(
    ("attention", "parameters", "macs"),
    [
        ("space+vidattn.attention.factorised.PlainTemporalAttention", 115_525_264, 184_391_086_080),
        ("vidattn.attention.factorised.SplitHeadsAttention", 87_158_416, 137_050_632_192),
    ],
)
def test_a_vit_b_differs_from_vivits_by_its_position_tables_only(attention, parameters, macs):
    """ViViT has a position for each of the 8 x 196 tokens; this model has one per location and one per frame."""
    with torch.device("meta"):
        net = build_network(preset("B", attention=attention, pooling="mean"))
    tables = (8 * 196 - 196 - 8) * 768
    assert tables == 1_047_552
    assert sum(parameter.numel() for parameter in net.parameters()) == parameters - tables
    assert net.macs(8, 224, 224).total == macs


@pytest.mark.parametrize("spec", ["space>time", "space>time(0)", "time>space(4)", "space+time>time(2)"])
def test_a_factorised_encoder_that_cannot_be_read_says_how_to_write_it(spec):
    with pytest.raises(ValueError, match=r"cannot be read; write space>time\(4\) for 4 temporal blocks"):
        parse_scheme(spec)
