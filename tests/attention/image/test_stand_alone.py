"""Stand-alone self-attention against plain loops over pixels, written from equation 3."""

import pytest
import torch
from grouped import gradients

from vidattn.attention.image.stand_alone import StandAloneAttention


def random_block(*args):
    torch.manual_seed(0)
    block = StandAloneAttention(*args).double()
    for parameter in block.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return block


def looped(block, x):
    """y_ij = sum over the memory block of softmax_ab(q_ij . k_ab + q_ij . r_{a-i, b-j}) v_ab, per head."""
    reach, heads = block.kernel_size // 2, block.num_heads
    batch, dim, height, width = x.shape
    q, k, v = block.qkv(x.movedim(1, -1)).view(batch, height, width, 3, heads, dim // heads).unbind(3)
    pixels = []
    for i in range(height):
        for j in range(width):
            scores, values = [], []
            for a in range(max(0, i - reach), min(height, i + reach + 1)):
                for b in range(max(0, j - reach), min(width, j + reach + 1)):
                    row, column = block.row_embedding[..., a - i + reach], block.column_embedding[..., b - j + reach]
                    r = torch.cat((row, column), -1)
                    scores.append((q[:, i, j] * (k[:, a, b] + r)).sum(-1))
                    values.append(v[:, a, b])
            weights = torch.stack(scores, -1).softmax(-1)
            pixels.append((weights[..., None] * torch.stack(values, 2)).sum(2).flatten(1))
    return torch.stack(pixels, -1).view_as(x)


def test_parameters_are_exact():
    assert sum(p.numel() for p in StandAloneAttention(768).parameters()) == 3 * 768**2 + 7 * 768 == 1_774_848


def test_macs_are_the_reference_less_its_border():
    height, width, dim, k = 14, 14, 768, 7
    macs = StandAloneAttention(dim).macs(height, width)
    border = (height + k - 1) * (width + k - 1) - height * width
    relative = height * width * k * dim
    # The reference projects the zeros around the map to keys and values too, and adds r to a copy of the keys per
    # query; we project the map alone and multiply q by the 2 x 7 half embeddings.
    assert 8 * (macs.total - relative + 2 * border * dim**2) == 4_817_731_584
    assert 8 * macs.attention == 2 * 49 * 8 * 196 * dim


@pytest.mark.parametrize(("kernel", "size"), [(3, (9, 16)), (5, (15, 4)), (7, (8, 9)), (7, (2, 5)), (1, (3, 3))])
def test_equals_loops_over_pixels(kernel, size):
    block = random_block(12, kernel, 3)
    x = torch.randn(2, 12, *size, dtype=torch.float64)
    parameters = list(block.parameters())
    expected = gradients(lambda x: looped(block, x), x, parameters)
    torch.testing.assert_close(gradients(block, x, parameters), expected)
    with torch.no_grad():  # another kernel
        torch.testing.assert_close(block(x), expected[0])


def test_moves_with_the_image_away_from_the_border():
    block = random_block(8, 3, 2)
    x = torch.randn(1, 8, 17, 19, dtype=torch.float64)
    before, after = block(x[:, :, :-1, :-2])[..., 1:-1, 1:-1], block(x[:, :, 1:, 2:])[..., 1:-1, 1:-1]
    torch.testing.assert_close(before[..., 1:, 2:], after[..., :-1, :-2])


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="kernel_size=4 must be odd, such as 5"):
        StandAloneAttention(32, 4)
    with pytest.raises(ValueError, match=r"dim=9 is not a multiple of 2 \* num_heads=6"):
        StandAloneAttention(9, 3, 3)
