"""What every image attention block promises. To ship one, add a line to CASES: how it is built and its reach."""

import itertools
from collections.abc import Callable
from typing import NamedTuple

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from vidattn.attention.base import ImageAttention
from vidattn.attention.image.acmix import ACmix
from vidattn.attention.image.axial import AxialAttention, CrissCrossAttention
from vidattn.attention.image.cbam import CBAM, ChannelAttention, SpatialGate
from vidattn.attention.image.cross_window import CrossShapedWindowAttention
from vidattn.attention.image.deformable import DeformableAttention
from vidattn.attention.image.graph import GraphAttention
from vidattn.attention.image.large_kernel import LargeKernelAttention, MultiScaleLargeKernelAttention
from vidattn.attention.image.linear import LinearAttention
from vidattn.attention.image.mbconv import MBConv
from vidattn.attention.image.mbconv_se import SqueezedMBConv
from vidattn.attention.image.neighborhood import NeighborhoodAttention
from vidattn.attention.image.non_local import NonLocal, PooledNonLocal
from vidattn.attention.image.position_encoding import PositionalEncodingGenerator
from vidattn.attention.image.pyramid import SpatialReductionAttention
from vidattn.attention.image.relative import RelativeAttention
from vidattn.attention.image.self_attention import MapAttention
from vidattn.attention.image.squeeze_excite import SqueezeExcite
from vidattn.attention.image.stand_alone import StandAloneAttention
from vidattn.attention.image.twins import LocallyGroupedAttention, TwoStageAttention
from vidattn.attention.image.window import ShiftedWindowAttention, WindowAttention
from vidattn.attention.per_frame import PerFrame
from vidattn.grid import Grid

Pixel = tuple[int, int]  # (row, column)
Size = tuple[int, int]  # (height, width)


Reach = Callable[[Pixel, Pixel, Size], bool]  # can a change of the first pixel move the second?


def everything(source: Pixel, target: Pixel, size: Size) -> bool:
    return True


def cross(source: Pixel, target: Pixel, size: Size) -> bool:
    return source[0] == target[0] or source[1] == target[1]


def within(radius: int) -> Reach:
    return lambda source, target, size: max(abs(s - t) for s, t in zip(source, target, strict=True)) <= radius


def same_window(window: int, shift: int = 0) -> Reach:
    def reach(source: Pixel, target: Pixel, size: Size) -> bool:
        shifts = [shift if n > window else 0 for n in size]  # an axis that one window covers is not shifted
        return all((s - o) // window == (t - o) // window for s, t, o in zip(source, target, shifts, strict=True))

    return reach


def same_stripe(width: int) -> Reach:
    return lambda source, target, size: any(s // width == t // width for s, t in zip(source, target, strict=True))


def neighborhood(kernel: int, dilation: int = 1) -> Reach:
    """On each axis: same remainder, and among the `kernel` positions of the window that is moved inward."""

    def reach(source: Pixel, target: Pixel, size: Size) -> bool:
        for s, t, n in zip(source, target, size, strict=True):
            group = range(t % dilation, n, dilation)
            start = max(0, min(t // dilation - kernel // 2, len(group) - kernel))
            if s not in group[start : start + kernel]:
                return False
        return True

    return reach


class Case(NamedTuple):
    name: str
    build: Callable[[], ImageAttention]  # at width DIM
    reach: Reach


DIM = 32
CASES = [
    Case("map", lambda: MapAttention(DIM), everything),
    Case("squeeze_excite", lambda: SqueezeExcite(DIM, 4), everything),
    Case("channel_attention", lambda: ChannelAttention(DIM, 4), everything),
    Case("spatial_gate", lambda: SpatialGate(DIM), within(3)),
    Case("cbam", lambda: CBAM(DIM, 4), everything),
    Case("non_local", lambda: NonLocal(DIM), everything),
    Case("pooled_non_local", lambda: PooledNonLocal(DIM), everything),
    Case("stand_alone(5)", lambda: StandAloneAttention(DIM, 5, 4), within(2)),
    Case("image_window(3)", lambda: WindowAttention(DIM, 3, 2), same_window(3)),
    Case("swin(3)", lambda: ShiftedWindowAttention(DIM, 3, 2), same_window(3, shift=1)),
    Case("swin(5)", lambda: ShiftedWindowAttention(DIM, 5, 2), same_window(5, shift=2)),
    Case("pvt(2)", lambda: SpatialReductionAttention(DIM, 2, 2), everything),
    Case("pvt(3)", lambda: SpatialReductionAttention(DIM, 3), everything),
    Case("dat", lambda: DeformableAttention(DIM, num_groups=2, num_heads=4), everything),
    Case("cswin(2)", lambda: CrossShapedWindowAttention(DIM, 2, 4), same_stripe(2)),
    Case("image_neighborhood(5)", lambda: NeighborhoodAttention(DIM, 5, num_heads=2), neighborhood(5)),
    Case("image_neighborhood(3,2)", lambda: NeighborhoodAttention(DIM, 3, 2, num_heads=2), neighborhood(3, 2)),
    Case("image_neighborhood(3,4)", lambda: NeighborhoodAttention(DIM, 3, 4, num_heads=2), neighborhood(3, 4)),
    Case("lka", lambda: LargeKernelAttention(DIM), within(2 + 3 * 3)),
    Case("lka(5,2)", lambda: LargeKernelAttention(DIM, 5, 2), within(1 + 2 * 1)),
    Case("mlka", lambda: MultiScaleLargeKernelAttention(DIM), within(3 + 4 * 4)),
    Case("acmix", lambda: ACmix(DIM, num_heads=2), within(3)),
    Case("image_axial", lambda: AxialAttention(DIM), everything),
    Case("criss_cross", lambda: CrissCrossAttention(DIM), cross),
    Case("image_linear", lambda: LinearAttention(DIM, num_heads=2), everything),
    # The graph follows the features; with all pixels as neighbours its reach is one that positions tell.
    Case("graph", lambda: GraphAttention(DIM, num_neighbors=99, num_heads=2), everything),
    Case("local_group(3)", lambda: LocallyGroupedAttention(DIM, 3, 2), same_window(3)),
    Case("twins(3,2)", lambda: TwoStageAttention(DIM, 3, 2), everything),
    Case("relative(9,8)", lambda: RelativeAttention(DIM, 9, 8), everything),
    Case("mbconv", lambda: MBConv(DIM), within(1)),
    Case("mbconv_se", lambda: SqueezedMBConv(DIM, 2), everything),
    Case("peg", lambda: PositionalEncodingGenerator(DIM), within(1)),
]
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
    torch._dynamo.reset()  # it compiles a function eight times at most, whoever asks
    compiled = torch.compile(block, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(x), block(x), rtol=1e-4, atol=1e-5)


@cases
def test_serves_as_the_space_step_of_a_video_model(case):
    grid = Grid(2, 5, 6, prefix=1)
    block = build(case)
    x = torch.randn(1, grid.num_tokens, DIM)
    update = PerFrame(block)(x, grid)
    frame = grid.split(x)[1][:, 1].permute(0, 3, 1, 2)
    torch.testing.assert_close(
        grid.split(update)[1][:, 1].permute(0, 3, 1, 2), block.update(frame), rtol=1e-4, atol=1e-5
    )
    assert not update[:, :1].any()


@cases
def test_one_export_serves_every_batch(case):
    block = build(case)
    with torch.no_grad():
        exported = torch.export.export(
            block, (torch.randn(2, DIM, 4, 5),), dynamic_shapes=({0: torch.export.Dim.DYNAMIC},)
        ).module()
        for batch in (1, 3):
            x = torch.randn(batch, DIM, 4, 5)
            torch.testing.assert_close(exported(x), block(x), rtol=1e-4, atol=1e-4)
