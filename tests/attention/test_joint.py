import torch
from grouped import randomised, torchs

from vidattn.attention.joint import JointAttention
from vidattn.grid import Grid


def test_all_tokens_attend_to_all_as_in_torchs_own_attention():
    grid = Grid(3, 2, 4, prefix=1)
    step = randomised(JointAttention(24, 3))
    x = torch.randn(2, grid.num_tokens, 24, dtype=torch.float64)
    torch.testing.assert_close(step(x, grid), torchs(step.attn)(x, x, x)[0])
