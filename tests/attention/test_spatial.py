import torch
from grouped import randomised, torchs

from vidattn.attention.spatial import SpatialAttention
from vidattn.grid import Grid


def test_each_frame_attends_with_its_own_copy_of_the_prefix_whose_updates_are_averaged():
    grid = Grid(3, 2, 4, prefix=2)
    step = randomised(SpatialAttention(24, 3))
    x = torch.randn(2, grid.num_tokens, 24, dtype=torch.float64)
    prefix, video = grid.split(x)
    reference = torchs(step.attn)
    frames = [torch.cat((prefix, video[:, t].flatten(1, 2)), dim=1) for t in range(3)]

    updates = torch.stack([reference(rows, rows, rows)[0] for rows in frames], dim=1)

    expected = torch.cat((updates[:, :, :2].mean(1), updates[:, :, 2:].flatten(1, 2)), dim=1)
    torch.testing.assert_close(step(x, grid), expected)
