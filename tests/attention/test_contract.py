"""What every video attention promises. To ship one, add a line to CASES: its spec and its reach."""

import itertools
from collections.abc import Callable
from typing import NamedTuple

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from vidattn.attention.base import VideoAttention
from vidattn.attention.parts import QKV_BIASES, Parts
from vidattn.attention.query_key import QUERY_KEYS
from vidattn.attention.scheme import parse_scheme
from vidattn.explain.spread import spread
from vidattn.grid import Grid

DIM, HEADS = 32, 4
Token = tuple[int, int, int] | None  # (t, h, w), or None for a prefix token


class Case(NamedTuple):
    spec: str
    reach: Callable[[Token, Token, Grid], bool]  # can a change of the first token move the second?
    qkv_bias: str = "all"
    query_key: str = "plain"


def everything(source: Token, target: Token, grid: Grid) -> bool:
    return True


def same_location(source: Token, target: Token, grid: Grid) -> bool:
    return source is not None and target is not None and source[1:] == target[1:]


def same_frame_or_prefix(source: Token, target: Token, grid: Grid) -> bool:
    return source is None or target is None or source[0] == target[0]


def same_row(source: Token, target: Token, grid: Grid) -> bool:
    return source is not None and target is not None and source[:2] == target[:2]


def same_column_or_prefix(source: Token, target: Token, grid: Grid) -> bool:
    return source is None or target is None or (source[0], source[2]) == (target[0], target[2])


def same_quadrant(source: Token, target: Token, grid: Grid) -> bool:
    def quadrant(token: Token) -> tuple[bool, bool]:
        assert token is not None
        return 2 * token[1] < grid.height, 2 * token[2] < grid.width

    return source is not None and target is not None and quadrant(source) == quadrant(target)


def same_phase_or_prefix(source: Token, target: Token, grid: Grid) -> bool:
    return source is None or target is None or all((a - b) % 2 == 0 for a, b in zip(source, target, strict=True))


def same_frame_same_location_or_prefix(source: Token, target: Token, grid: Grid) -> bool:
    return same_frame_or_prefix(source, target, grid) or same_location(source, target, grid)


def prefix_sees_all_video_sees(seen: Callable[[Token, Token, Grid], bool]) -> Callable[[Token, Token, Grid], bool]:
    """Prefix tokens see everything; video tokens what `seen` says, and no prefix token."""
    return lambda source, target, grid: target is None or (source is not None and seen(source, target, grid))


def one_window(*window: int, shift: tuple[int, int, int] = (0, 0, 0)) -> Callable[[Token, Token, Grid], bool]:
    """In the same window; an axis that fits into one window is not shifted."""

    def seen(source: Token, target: Token, grid: Grid) -> bool:
        assert source is not None
        assert target is not None
        shifts = [s if length > side else 0 for s, side, length in zip(shift, window, grid[:3], strict=True)]
        axes = zip(source, target, shifts, window, strict=True)
        return all((a - s) // side == (b - s) // side for a, b, s, side in axes)

    return prefix_sees_all_video_sees(seen)


def near(*window: int) -> Callable[[Token, Token, Grid], bool]:
    """Within the window around the target, which moves inward at the borders."""

    def seen(source: Token, target: Token, grid: Grid) -> bool:
        assert source is not None
        assert target is not None
        starts = [max(0, min(b - side // 2, n - side)) for b, side, n in zip(target, window, grid[:3], strict=True)]
        return all(start <= a < start + side for start, a, side in zip(starts, source, window, strict=True))

    return prefix_sees_all_video_sees(seen)


def pooled(*stride: int) -> Callable[[Token, Token, Grid], bool]:
    """A token is part of a key if it lies within one of a token that the stride keeps."""

    def reach(source: Token, target: Token, grid: Grid) -> bool:
        if source is None or source == target:
            return True
        kept = [range(0, n, s) for n, s in zip(grid[:3], stride, strict=True)]
        return all(any(abs(a - place) <= 1 for place in axis) for a, axis in zip(source, kept, strict=True))

    return reach


def pooled_neighbours(*stride: int) -> Callable[[Token, Token, Grid], bool]:
    """As `pooled`, and the query and what is added to it are of the token's neighbours; those of the prefix are not."""

    def reach(source: Token, target: Token, grid: Grid) -> bool:
        return source == target or pooled(*stride)(source, target, grid) or neighbours(source, target, grid)

    return reach


def neighbours(source: Token, target: Token, grid: Grid) -> bool:
    """At most one step apart in time, height and width."""
    return None not in (source, target) and all(abs(a - b) <= 1 for a, b in zip(source, target, strict=True))


SHIFTED_WINDOW = "vidattn.attention.window.ShiftedWindowAttention3D"
CASES = [
    Case("joint", everything),
    Case("time", same_location),
    Case("space", same_frame_or_prefix),
    Case("width", same_row),
    Case("height", same_column_or_prefix),
    Case("local", same_quadrant),
    Case("global", same_phase_or_prefix),
    Case("temporal", same_location),
    Case("space|time", same_frame_same_location_or_prefix),
    Case("linear", everything),
    Case("trajectory", prefix_sees_all_video_sees(everything)),
    Case("window(2,3,3)", one_window(2, 3, 3)),
    Case(f"{SHIFTED_WINDOW}(2,3,3)", one_window(2, 3, 3, shift=(1, 1, 1))),
    Case("swin3d(2,3,3)", one_window(2, 3, 3)),
    Case("vidattn.attention.swin3d.ShiftedSwinAttention3D(2,3,3)", one_window(2, 3, 3, shift=(1, 1, 1))),
    Case("unit(2,3,3)", one_window(2, 3, 3)),
    Case("mvit(1,2,2)", pooled_neighbours(1, 2, 2)),
    Case("neighborhood(3,3,3)", near(3, 3, 3)),
    Case("pooled(1,2,2)", pooled(1, 2, 2)),
    Case("pooled(2,3,3)", pooled(2, 3, 3)),
    Case("peg3d", neighbours),
    Case("vidattn.attention.capped.CappedAttention(2)", everything),
]
# Every step again, with other parts where it has a place for them.
CASES += [
    case._replace(qkv_bias="query_value", query_key="norm+rotary")
    for case in CASES
    if parse_scheme(case.spec).steps[0].turns[0].scores_tokens
]
GRIDS = [Grid(4, 5, 3), Grid(3, 2, 7, prefix=0), Grid(2, 4, 3, prefix=4), Grid(1, 1, 1)]

cases = pytest.mark.parametrize("case", CASES, ids=["-".join((case.spec, *case[2:])) for case in CASES])
grids = pytest.mark.parametrize("grid", GRIDS, ids=str)


def build(case: Case, dim: int = DIM) -> VideoAttention:
    """The step with every parameter random: zero-initialised layers must not hide a wrong one."""
    torch.manual_seed(0)
    (step,) = parse_scheme(case.spec).steps
    parts = Parts(qkv=QKV_BIASES[case.qkv_bias], query_key=QUERY_KEYS[case.query_key])
    attention = step.build(dim, HEADS, parts=parts)
    for parameter in attention.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return attention


def tokens(grid: Grid) -> list[Token]:
    video = list(itertools.product(range(grid.frames), range(grid.height), range(grid.width)))
    return [None] * grid.prefix + video


@cases
@grids
def test_keeps_the_shape_and_nothing_of_other_clips(case, grid):
    """What a step may have put aside for one grid, a mask or a table, is not used on another; the input stays."""
    attention = build(case)
    x = torch.randn(2, grid.num_tokens, DIM)
    given = x.clone()
    alone = attention(x, grid)
    assert alone.shape == x.shape
    assert torch.equal(x, given)
    for other in GRIDS:
        attention(torch.randn(1, other.num_tokens, DIM), other)
    torch.testing.assert_close(attention(x, grid), alone)


@cases
@grids
def test_clips_of_a_batch_do_not_meet(case, grid):
    attention = build(case).double()
    x = torch.randn(2, grid.num_tokens, DIM, dtype=torch.float64)
    alone = torch.cat([attention(x[:1], grid), attention(x[1:], grid)])
    torch.testing.assert_close(attention(x, grid), alone)


@cases
@pytest.mark.parametrize("grid", GRIDS[:3], ids=str)
def test_reach(case, grid):
    attention = build(case).double()
    x = torch.randn(1, grid.num_tokens, DIM, dtype=torch.float64)
    places = torch.arange(grid.num_tokens)
    nudged = x.repeat(grid.num_tokens, 1, 1)  # in each clip of the batch another token
    nudged[places, places] += torch.randn(grid.num_tokens, DIM, dtype=torch.float64)
    moved = (attention(nudged, grid) - attention(x, grid)).abs().amax(-1) > 1e-9
    for index, source in enumerate(tokens(grid)):
        expected = torch.tensor([case.reach(source, target, grid) for target in tokens(grid)])
        assert torch.equal(moved[index], expected), f"token {source} moved {moved[index].nonzero().flatten().tolist()}"


@cases
def test_a_step_says_whether_prefix_tokens_get_an_update(case):
    grid = GRIDS[2]
    attention = build(case)
    assert attention(torch.randn(1, grid.num_tokens, DIM), grid)[:, : grid.prefix].any() == attention.moves_prefix


@cases
@pytest.mark.parametrize("grid", GRIDS[1:3], ids=str)
def test_attention_maps_show_the_reach(case, grid):
    """Weights on the full grid: positive inside the reach, zero outside; some tokens are never asked themselves."""
    weights = spread(build(case), torch.randn(1, grid.num_tokens, DIM), grid)[0]
    for index, source in enumerate(tokens(grid)):
        expected = torch.tensor([case.reach(source, target, grid) for target in tokens(grid)])
        shown = weights[:, index] > 0
        shown[index] = expected[index]
        assert torch.equal(shown, expected), f"token {source}"


@cases
@pytest.mark.parametrize(("grid", "dim"), zip(GRIDS, itertools.cycle((32, 64))), ids=str)
def test_declared_macs_are_the_measured_ones(case, grid, dim):
    with torch.device("meta"):
        attention, x = build(case, dim), torch.empty(3, grid.num_tokens, dim)
        with FlopCounterMode(display=False) as counter:
            attention(x, grid)
    assert counter.get_total_flops() == 3 * attention.macs(grid).flops


@cases
def test_gradients_reach_input_and_parameters_and_match_finite_differences(case):
    grid = Grid(2, 2, 3)
    attention = build(case).double()
    x = torch.randn(1, grid.num_tokens, DIM, dtype=torch.float64, requires_grad=True)
    direction = torch.randn_like(x)
    weights = torch.randn_like(x)
    (attention(x, grid) * weights).sum().backward()
    step = 1e-6
    with torch.no_grad():
        ahead, behind = attention(x + step * direction, grid), attention(x - step * direction, grid)
    slope = ((ahead - behind) * weights).sum() / (2 * step)
    torch.testing.assert_close((x.grad * direction).sum(), slope, rtol=1e-5, atol=1e-6)
    assert all(parameter.grad is not None for parameter in attention.parameters())


@cases
def test_training_and_inference_agree(case):
    """With and without gradients another kernel may run; the numbers stay."""
    for grid in (Grid(3, 4, 5), Grid(2, 9, 9)):
        attention = build(case)
        x = torch.randn(2, grid.num_tokens, DIM)
        with torch.no_grad():
            inference = attention(x, grid)
        torch.testing.assert_close(attention(x, grid), inference, rtol=1e-4, atol=1e-5)


@cases
def test_bf16_autocast_stays_close(case):
    grid = Grid(4, 3, 3)
    attention = build(case)
    x = torch.randn(2, grid.num_tokens, DIM)
    exact = attention(x, grid)
    with torch.autocast("cpu", torch.bfloat16):
        rough = attention(x, grid)
    assert rough.isfinite().all()
    assert (rough.float() - exact).norm() < 0.05 * exact.norm()


@pytest.mark.parametrize("case", {case.spec: case for case in CASES}.values(), ids=lambda case: case.spec)
def test_compiles_in_one_graph(case):
    """With other parts where a step has them; plain ones in whole networks, in tests/models/test_networks.py."""
    grid = Grid(3, 4, 2)
    attention = build(case)
    x = torch.randn(2, grid.num_tokens, DIM)
    torch._dynamo.reset()  # it compiles a function eight times at most, whoever asks
    compiled = torch.compile(attention, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(x, grid), attention(x, grid))
