import pytest
import torch
from grouped import GRIDS, assert_same, by_groups, measured, randomised, torchs

from vidattn.attention.local_global import GlobalAttention, LocalAttention
from vidattn.grid import Grid
from vidattn.models.presets import build_network, preset

grids = pytest.mark.parametrize("grid", GRIDS, ids=str)


@grids
def test_local_is_a_loop_over_quadrants(grid):
    step = randomised(LocalAttention(24, 3))
    x = torch.randn(2, grid.num_tokens, 24, dtype=torch.float64, requires_grad=True)
    reference = torchs(step.attn)
    mixed = by_groups(reference, x, grid, lambda t, h, w: (2 * h < grid.height, 2 * w < grid.width), with_prefix=False)
    expected = torch.cat((mixed[:, : grid.prefix], step.fc(mixed[:, grid.prefix :])), dim=1)
    assert_same(step, reference, x, grid, expected)


@grids
def test_global_is_a_loop_over_phases_with_the_prefix_in_each(grid):
    step = randomised(GlobalAttention(24, 3))
    x = torch.randn(2, grid.num_tokens, 24, dtype=torch.float64, requires_grad=True)
    reference = torchs(step.attn)
    expected = by_groups(reference, x, grid, lambda t, h, w: (t % 2, h % 2, w % 2), with_prefix=True)
    assert_same(step, reference, x, grid, expected)


def test_local_starts_as_no_update():
    grid = Grid(2, 3, 4)
    assert not LocalAttention(64)(torch.randn(1, grid.num_tokens, 64), grid).any()


def test_local_global_has_the_reference_parameters_and_macs():
    steps = [LocalAttention(768), GlobalAttention(768)]
    assert measured(steps, Grid(8, 14, 14)) == (5_315_328, 9_763_467_264)


def test_a_local_global_vit_b_has_the_reference_parameters_and_macs():
    module = "vidattn.attention.local_global"
    with torch.device("meta"):
        net = build_network(preset("B", attention=f"{module}.LocalAttention+{module}.GlobalAttention"))
    assert sum(parameter.numel() for parameter in net.parameters()) == 121_566_352
    assert net.macs(8, 224, 224).total == 206_928_408_576
