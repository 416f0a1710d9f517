import pytest
import torch

from vidattn.attention.reach import step_reach
from vidattn.grid import Grid

GRID = Grid(2, 4, 5)


def test_each_step_of_a_block_is_told_by_itself():
    along, within = step_reach("divided", GRID, (1, 2, 3))
    same_place, same_frame = torch.zeros(2, 2, 4, 5, dtype=torch.bool)
    same_place[:, 2, 3] = True
    same_frame[1] = True
    assert torch.equal(along, same_place)
    assert torch.equal(within, same_frame)


def test_joint_attention_sees_the_whole_clip():
    (seen,) = step_reach("joint", GRID, (0, 0, 0))
    assert seen.all()


def test_a_factorised_encoder_is_refused():
    with pytest.raises(ValueError, match=r"space>time\(2\).*pools each frame"):
        step_reach("space>time(2)", GRID, (0, 0, 0))
