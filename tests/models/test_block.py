import torch

from vidattn.attention.joint import JointAttention
from vidattn.attention.temporal import TemporalAttention
from vidattn.grid import Grid
from vidattn.models.block import Block

GRID = Grid(2, 3, 3, prefix=1)


def test_each_step_and_the_mlp_add_to_the_stream_behind_a_norm_of_their_own():
    block = Block(16, [TemporalAttention(16, 2), JointAttention(16, 2)]).double()
    x = torch.randn(2, GRID.num_tokens, 16, dtype=torch.float64)
    expected = x
    for norm, step in zip(block.norms, block.steps, strict=True):
        expected = expected + step(norm(expected), GRID)
    expected = expected + block.mlp(block.mlp_norm(expected))
    torch.testing.assert_close(block(x, GRID), expected)


def test_its_cost_is_that_of_its_steps_and_its_mlp():
    steps = [TemporalAttention(16, 2), JointAttention(16, 2)]
    mlp = 2 * GRID.num_tokens * 16 * 48
    assert Block(16, steps, mlp_ratio=3).macs(GRID).total == sum(step.macs(GRID).total for step in steps) + mlp


def test_a_dropped_path_leaves_the_whole_clip_as_it_was():
    torch.manual_seed(0)
    block = Block(16, [JointAttention(16, 2)], drop_path=0.5).train()
    x = torch.randn(64, GRID.num_tokens, 16)
    untouched = (block(x, GRID) == x).flatten(1).all(1).sum()
    assert 4 <= untouched <= 32  # a quarter: both updates dropped
