import torch

from vidattn.attention.image.position_encoding import PositionalEncodingGenerator
from vidattn.attention.image.self_attention import MapAttention
from vidattn.attention.per_frame import PerFrame, step_name
from vidattn.attention.spatial import SpatialAttention
from vidattn.grid import Grid

GRID = Grid(3, 4, 5, prefix=1)


def test_the_block_runs_on_the_map_of_each_frame():
    step = PerFrame(MapAttention(16, 2))
    x = torch.randn(2, GRID.num_tokens, 16)
    prefix, update = GRID.split(step(x, GRID))
    assert not prefix.any()
    for frame in range(3):
        maps = GRID.split(x)[1][:, frame].movedim(-1, 1)
        torch.testing.assert_close(update[:, frame], step.block(maps).movedim(1, -1))
    assert step.macs(GRID) == 3 * step.block.macs(4, 5)


def test_a_block_that_adds_its_input_itself_adds_it_once():
    step = PerFrame(PositionalEncodingGenerator(16))
    x = torch.randn(1, GRID.num_tokens, 16)
    maps = GRID.split(x)[1][:, 0].movedim(-1, 1)
    update = GRID.split(step(x, GRID))[1][:, 0].movedim(-1, 1)
    torch.testing.assert_close(maps + update, step.block(maps))


def test_a_step_is_called_by_its_block():
    assert step_name(PerFrame(MapAttention(16))) == "MapAttention"
    assert step_name(SpatialAttention(16)) == "SpatialAttention"
