"""What every image attention block promises. To ship one, add a line to CASES: how it is built and its reach."""

import itertools
from collections.abc import Callable
from typing import NamedTuple

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from vidattn.attention.base import ImageAttention
from vidattn.attention.per_frame import PerFrame
from vidattn.grid import Grid

Pixel = tuple[int, int]  # (row, column)
Size = tuple[int, int]  # (height, width)


class Case(NamedTuple):
    name: str
    build: Callable[[], ImageAttention]  # at width DIM
    reach: Callable[[Pixel, Pixel, Size], bool]  # can a change of the first pixel move the second?


def everything(source: Pixel, target: Pixel, size: Size) -> bool:
    return True


DIM = 32
CASES: list[Case] = []
SIZES = [(8, 8), (7, 10), (9, 5)]

cases = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
sizes = pytest.mark.parametrize("size", SIZES, ids=str)


def build(case: Case) -> ImageAttention:
    """The block with every parameter random: zero-initialised layers must not hide a wrong one."""
    torch.manual_seed(0)
    block = case.build().eval()
    for parameter in block.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return block


@cases
@sizes
def test_keeps_the_shape(case, size):
    x = torch.randn(2, DIM, *size)
    assert build(case)(x).shape == x.shape


@cases
@sizes
def test_images_of_a_batch_do_not_meet(case, size):
    block = build(case).double()
    x = torch.randn(2, DIM, *size, dtype=torch.float64)
    torch.testing.assert_close(block(x), torch.cat([block(x[:1]), block(x[1:])]))


@cases
@sizes
def test_reach(case, size):
    block = build(case).double()
    x = torch.randn(1, DIM, *size, dtype=torch.float64)
    before = block(x)
    pixels = list(itertools.product(range(size[0]), range(size[1])))
    for source in pixels[:: max(1, len(pixels) // 8)]:
        nudged = x.clone()
        nudged[0, :, *source] += torch.randn(DIM, dtype=torch.float64)
        moved = (block(nudged) - before)[0].abs().amax(0) > 1e-9
        expected = torch.tensor([case.reach(source, target, size) for target in pixels]).view(size)
        assert torch.equal(moved, expected), f"pixel {source} moved {moved.nonzero().tolist()}"


@cases
@sizes
def test_declared_macs_are_the_measured_ones(case, size):
    with torch.device("meta"):
        block, x = case.build().eval(), torch.empty(3, DIM, *size)
        with FlopCounterMode(display=False) as counter:
            block(x)
    assert counter.get_total_flops() == 3 * block.macs(*size).flops


@cases
def test_gradients_reach_input_and_every_parameter(case):
    block = build(case).double()
    x = torch.randn(1, DIM, 6, 7, dtype=torch.float64, requires_grad=True)
    direction, weights = torch.randn_like(x), torch.randn_like(x)
    (block(x) * weights).sum().backward()
    step = 1e-6
    with torch.no_grad():
        slope = ((block(x + step * direction) - block(x - step * direction)) * weights).sum() / (2 * step)
    torch.testing.assert_close((x.grad * direction).sum(), slope, rtol=1e-4, atol=1e-5)
    assert all(parameter.grad is not None for parameter in block.parameters())


@cases
def test_bf16_autocast_stays_finite_and_close(case):
    block = build(case)
    x = torch.randn(2, DIM, 8, 8)
    exact = block(x)
    with torch.autocast("cpu", torch.bfloat16):
        rough = block(x)
    assert rough.isfinite().all()
    assert (rough.float() - exact).norm() < 0.1 * exact.norm()


@cases
def test_compiles_in_one_graph(case):
    block = build(case)
    x = torch.randn(2, DIM, 7, 10)
    compiled = torch.compile(block, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x), block(x), rtol=1e-4, atol=1e-5)


@cases
def test_serves_as_the_space_step_of_a_video_model(case):
    grid = Grid(2, 5, 6, prefix=1)
    block = build(case)
    x = torch.randn(1, grid.num_tokens, DIM)
    update = PerFrame(block)(x, grid)
    frame = grid.split(x)[1][:, 1].permute(0, 3, 1, 2)
    torch.testing.assert_close(grid.split(update)[1][:, 1].permute(0, 3, 1, 2), block(frame), rtol=1e-4, atol=1e-5)
    assert not update[:, :1].any()
