import torch

from vidattn.attention.image.position_encoding import PositionalEncodingGenerator
from vidattn.attention.image.reach import picture, reach


def test_a_convolution_sees_its_kernel_and_the_block_is_left_alone():
    block = PositionalEncodingGenerator(4)
    before = [parameter.clone() for parameter in block.parameters()]
    seen = reach(block, 4, (4, 6), (0, 2))
    assert picture(seen, (0, 2)).split("\n")[:3] == [". # o # . .", ". # # # . .", ". . . . . ."]
    assert all(map(torch.equal, before, block.parameters()))
