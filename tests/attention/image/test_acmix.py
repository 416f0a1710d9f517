import pytest
import torch
import torch.nn.functional as F
from torch import nn

from vidattn.attention.image.acmix import ACmix


def build(dim: int = 12, num_heads: int = 3, attention_kernel: int = 5) -> ACmix:
    """A block with random parameters, except that its convolution is the shifts it starts as."""
    torch.manual_seed(0)
    block = ACmix(dim, attention_kernel, num_heads=num_heads).double()
    for name, parameter in block.named_parameters():
        if not name.startswith("shift"):
            nn.init.normal_(parameter, std=0.5)
    return block


@pytest.mark.parametrize("size", [(4, 7), (1, 6)], ids=str)
def test_is_a_loop_over_windows_plus_a_sum_of_shifted_maps(size):
    block = build()
    height, width = size
    x = torch.randn(2, 12, *size, dtype=torch.float64, requires_grad=True)
    slopes = torch.randn_like(x)
    q, k, v = block.qkv(x.permute(0, 2, 3, 1)).view(2, *size, 3, 3, 4).unbind(3)  # (B, H, W, heads, 4)

    def place(row: int, column: int) -> torch.Tensor:
        spread = [-1 + 2 * i / max(n - 1, 1) for i, n in ((column, width), (row, height))]
        return block.position(torch.tensor(spread, dtype=torch.float64))

    attended = torch.zeros(2, 12, *size, dtype=torch.float64)
    for row in range(height):
        for column in range(width):
            window = [
                (i, j)
                for i in range(max(row - 2, 0), min(row + 3, height))
                for j in range(max(column - 2, 0), min(column + 3, width))
            ]
            keys = torch.stack([k[:, i, j] + place(row, column) - place(i, j) for i, j in window], 2)
            weights = torch.einsum("bhd,bhnd->bhn", q[:, row, column] / 2, keys).softmax(-1)
            values = torch.stack([v[:, i, j] for i, j in window], 2)
            attended[..., row, column] = torch.einsum("bhn,bhnd->bhd", weights, values).flatten(1)

    features = torch.cat((q, k, v), dim=3)  # (B, H, W, 9, 4)
    taps = torch.einsum("byxid,ti->tbdyx", features, block.mix.weight)
    shifted = torch.zeros(2, 4, *size, dtype=torch.float64)
    for tap, one in enumerate(taps):
        down, right = tap // 3, tap % 3  # the 3x3 tap seen from (down - 1, right - 1)
        shifted = shifted + F.pad(one, (1, 1, 1, 1))[..., down : down + height, right : right + width]
    convolved = shifted.repeat_interleave(3, dim=1)  # the outputs of a group start alike

    expected = block.alpha * attended + block.beta * convolved
    torch.testing.assert_close(block(x), expected)
    (slope,) = torch.autograd.grad((block(x) * slopes).sum(), x)
    torch.testing.assert_close(slope, torch.autograd.grad((expected * slopes).sum(), x)[0])


def test_moves_with_the_image_away_from_the_border():
    block = build(attention_kernel=3)
    nn.init.normal_(block.shift.weight, std=0.5)
    x = torch.randn(1, 12, 9, 10, dtype=torch.float64)
    moved = x.roll((2, 1), dims=(2, 3))
    torch.testing.assert_close(block(moved)[..., 3:-1, 2:-1], block(x)[..., 1:-3, 1:-2])


def test_has_the_reference_parameters_and_macs():
    block = ACmix(768)
    assert sum(parameter.numel() for parameter in block.parameters()) == 1_835_270
    # The reference also counts, once for all frames, the linear map of the 196 places; here it is element-wise.
    assert 8 * block.macs(14, 14).total == 3_022_627_328 - 2 * 64 * 196


def test_says_what_is_wrong():
    with pytest.raises(ValueError, match="attention_kernel=6 must be odd"):
        ACmix(32, attention_kernel=6)
    with pytest.raises(ValueError, match="dim=32 is not a multiple of num_heads=3"):
        ACmix(32, num_heads=3)
