import pytest
import torch
from grouped import GRIDS, assert_same, by_groups, measured, randomised, torchs

from vidattn.attention.axial import HeightAttention, WidthAttention
from vidattn.attention.temporal import TemporalAttention
from vidattn.grid import Grid
from vidattn.models.presets import build_network, preset

grids = pytest.mark.parametrize("grid", GRIDS, ids=str)


@grids
def test_width_is_a_loop_over_rows(grid):
    step = randomised(WidthAttention(24, 3))
    x = torch.randn(2, grid.num_tokens, 24, dtype=torch.float64, requires_grad=True)
    reference = torchs(step.attn)
    mixed = by_groups(reference, x, grid, lambda t, h, w: (t, h), with_prefix=False)
    expected = torch.cat((mixed[:, : grid.prefix], step.fc(mixed[:, grid.prefix :])), dim=1)
    assert_same(step, reference, x, grid, expected)


@grids
def test_height_is_a_loop_over_columns_with_the_prefix_in_each(grid):
    step = randomised(HeightAttention(24, 3))
    x = torch.randn(2, grid.num_tokens, 24, dtype=torch.float64, requires_grad=True)
    reference = torchs(step.attn)
    expected = by_groups(reference, x, grid, lambda t, h, w: (t, w), with_prefix=True)
    assert_same(step, reference, x, grid, expected)


def test_width_starts_as_no_update():
    grid = Grid(2, 3, 4)
    assert not WidthAttention(64)(torch.randn(1, grid.num_tokens, 64), grid).any()


def test_axial_has_the_reference_parameters_and_macs():
    steps = [TemporalAttention(768), WidthAttention(768), HeightAttention(768)]
    assert measured(steps, Grid(8, 14, 14)) == (8_268_288, 13_303_750_656)


def test_an_axial_vit_b_has_the_papers_156_8_million_parameters_and_the_reference_macs():
    module = "vidattn.attention.axial"
    with torch.device("meta"):
        net = build_network(preset("B", attention=f"time+{module}.WidthAttention+{module}.HeightAttention"))
    assert sum(parameter.numel() for parameter in net.parameters()) == 157_020_304
    assert net.macs(8, 224, 224).total == 249_411_809_280
    # The paper counts the 174 classes of Something-Something.
    assert round((157_020_304 - (400 - 174) * 769) / 1e6, 1) == 156.8
