import copy

import pytest
import torch
import torch.nn.functional as F
from small import needs_torchao
from torch import nn

from vidattn.attention.parts import QueryValueBias
from vidattn.quantization.fp8 import Fp8, by_scaled_mm
from vidattn.quantization.int4_weights import Int4Weights
from vidattn.quantization.int8 import Int8
from vidattn.quantization.int8_product import int8_product, levels, pack
from vidattn.quantization.int8_static import Int8Static
from vidattn.quantization.int8_weights import Int8Weights
from vidattn.quantization.kinds import KINDS
from vidattn.quantization.layer import Range

CPU = torch.device("cpu")


def linear(rows=24, columns=40, bias=True):
    torch.manual_seed(0)
    layer = nn.Linear(columns, rows, bias=bias)
    nn.init.normal_(layer.weight)
    return layer.requires_grad_(False)


def nearest(values, scale, low, high):
    return [min(max(round(value / scale), low), high) for value in values]


@needs_torchao
def test_int8_is_what_a_plain_loop_over_numbers_gives():
    layer, x = linear(3, 8), torch.randn(2, 5, 8) * torch.tensor([0.01, 1, 100, 3, 0]).view(5, 1)
    most, small = levels(CPU), Int8.of(layer)

    found = small(x)

    for place in ((0, 0), (1, 2), (1, 3), (0, 4)):
        token = x[place].tolist()
        step = max(max(map(abs, token)) / most, 1e-12)
        codes = nearest(token, step, -most, most)
        for row in range(3):
            weights = layer.weight[row].tolist()
            scale = max(map(abs, weights)) / 127
            whole = sum(a * b for a, b in zip(codes, nearest(weights, scale, -127, 127), strict=True))
            assert found[place][row] == pytest.approx(whole * step * scale + layer.bias[row].item(), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("zero", [0, 17, 64])
def test_products_of_8_bits_are_exact_up_to_the_largest_numbers(zero):
    random, most = torch.Generator().manual_seed(0), 2 * levels(CPU) + 1
    x = torch.randint(most + 1, (7, 200), dtype=torch.uint8, generator=random)
    codes = torch.randint(-127, 128, (24, 200), dtype=torch.int8, generator=random)
    x[0], codes[0] = most, 127
    x[1], codes[1] = 0, -127
    scale = torch.ones(24)
    wanted = (x.long() - zero) @ codes.long().T
    assert torch.equal(int8_product(x, zero, codes, scale, pack(codes)), wanted.float())
    assert torch.equal(int8_product(x, zero, codes, scale, None), wanted.float())


@needs_torchao
def test_static_int8_cuts_off_what_lies_outside_the_range():
    layer, x = linear(), torch.rand(50, 40) * 3 - 1
    small = Int8Static.of(layer, Range(-1.0, 2.0))
    assert (small(x) - layer(x)).norm() < 0.03 * layer(x).norm()
    assert torch.equal(small(torch.full((1, 40), 50.0)), small(torch.full((1, 40), 2.0)))
    torch.testing.assert_close(small(torch.zeros(1, 40))[0], layer.bias)


@needs_torchao
def test_weights_alone_are_those_of_pytorchs_own_rounding():
    layer, x = linear(), torch.randn(3, 40)
    scale = layer.weight.abs().amax(1) / 127
    theirs = torch.fake_quantize_per_channel_affine(layer.weight, scale, torch.zeros(24).int(), 0, -127, 127)
    torch.testing.assert_close(Int8Weights.of(layer)(x), F.linear(x, theirs, layer.bias))


@needs_torchao
@pytest.mark.parametrize("columns", [64, 40, 33])
def test_four_bits_are_packed_by_two_and_lie_within_half_a_step(columns):
    layer = linear(columns=columns)
    small = Int4Weights.of(layer)
    assert small.codes.shape == (24, (columns + 1) // 2)
    apart = (small.weights() - layer.weight).unflatten(1, (-1, small.group)).abs().amax(2)
    assert (apart <= small.scale).all()  # half a step, and another half where the zero was rounded too
    assert (apart.mean() < small.scale.mean() * 0.55).all()
    grouped = layer.weight.unflatten(1, (-1, small.group))
    torch.testing.assert_close(small.scale, (grouped.amax(2).clamp(min=0) - grouped.amin(2).clamp(max=0)) / 15)
    torch.testing.assert_close(small(torch.eye(columns)), small.weights().T + layer.bias)


def test_fp8_is_what_pytorchs_own_product_of_e4m3_gives():
    layer, x = linear(32, 64), torch.randn(20, 64)
    small = Fp8.of(layer)
    step, scale = x.abs().amax(1, keepdim=True) / 448, layer.weight.abs().amax(1) / 448
    rows = (x / step).to(torch.float8_e4m3fn)
    theirs = torch._scaled_mm(
        rows, small.codes.view(torch.float8_e4m3fn).t(), scale_a=step, scale_b=scale[None], out_dtype=torch.float32
    )
    torch.testing.assert_close(small(x), theirs + layer.bias)
    ours = by_scaled_mm(rows, step, small.codes.view(torch.float8_e4m3fn), scale)
    torch.testing.assert_close(ours.float(), theirs, rtol=1e-2, atol=1e-2)
    assert (small(x) - layer(x)).norm() < 0.06 * layer(x).norm()


@needs_torchao
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_kind_keeps_its_weights_through_casts_copies_and_state_dicts(kind):
    layer, x = linear(), torch.randn(4, 6, 40)
    small = kind.of(layer, Range(-3.0, 3.0))
    wanted = small(x)
    assert wanted.shape == (4, 6, 24)
    assert (wanted - layer(x)).norm() < 0.2 * layer(x).norm()

    again = kind(40, 24, True)
    again.load_state_dict(small.state_dict())
    assert torch.equal(again(x), wanted)
    assert torch.equal(copy.deepcopy(small)(x), wanted)

    cast = small.bfloat16()
    assert cast(x.bfloat16()).dtype == torch.bfloat16
    assert all(value.dtype != torch.bfloat16 for name, value in cast.named_buffers() if name != "bias")
    torch.testing.assert_close(cast.float()(x), wanted, rtol=0.01, atol=0.01)  # the bias was rounded


@needs_torchao
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_layers_without_a_bias_and_with_half_of_one(kind):
    assert kind.of(linear(bias=False), Range(-1.0, 1.0)).bias is None
    qkv = QueryValueBias(8)
    nn.init.ones_(qkv.query_bias)
    nn.init.ones_(qkv.value_bias)
    small = kind.of(qkv, Range(-1.0, 1.0))
    torch.testing.assert_close(small(torch.zeros(1, 8))[0], qkv.bias.detach())


@needs_torchao
@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if not kind.not_exported])
def test_kinds_that_round_weights_alone_stand_in_exported_graphs(kind):
    small = kind.of(linear())
    program = torch.export.export(nn.Sequential(small), (torch.randn(3, 40),), strict=False)
    x = torch.randn(3, 40)
    torch.testing.assert_close(program.module()(x), small(x))
    assert {name.rpartition(".")[2] for name in program.state_dict} >= {"codes", "scale"}
