import torch
from grouped import randomised, torchs

from vidattn.attention.temporal import TemporalAttention
from vidattn.grid import Grid


def test_each_location_attends_along_time_and_a_linear_layer_follows():
    grid = Grid(3, 2, 4, prefix=2)
    step = randomised(TemporalAttention(24, 3))
    x = torch.randn(2, grid.num_tokens, 24, dtype=torch.float64)
    video = grid.split(x)[1]
    reference = torchs(step.attn)

    prefix, update = grid.split(step(x, grid))

    assert not prefix.any()
    for row in range(2):
        for column in range(4):
            along = video[:, :, row, column]
            torch.testing.assert_close(update[:, :, row, column], step.fc(reference(along, along, along)[0]))


def test_it_starts_as_no_update():
    grid = Grid(3, 2, 2)
    assert not TemporalAttention(64)(torch.randn(1, grid.num_tokens, 64), grid).any()
