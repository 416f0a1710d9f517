"""Neighborhood attention against plain loops over pixels, and against full attention where its window is the map."""

import pytest
import torch
from grouped import gradients
from torch.utils._python_dispatch import TorchDispatchMode

from vidattn.attention.heads import SelfAttention
from vidattn.attention.image.neighborhood import NeighborhoodAttention


def random_block(*args, **kwargs):
    torch.manual_seed(0)
    block = NeighborhoodAttention(*args, **kwargs).double()
    for parameter in block.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return block


def window(position, length, kernel, dilation):
    """The paper's neighborhood on one axis: k positions around, moved inward at the border."""
    group = list(range(position % dilation, length, dilation))
    start = max(0, min(group.index(position) - kernel // 2, len(group) - kernel))
    return group[start : start + kernel]


def looped(block, x):
    """One query after the other."""
    k, dilation, heads = block.kernel_size, block.dilation, block.num_heads
    batch, dim, height, width = x.shape
    q, key, value = block.qkv(x.movedim(1, -1)).view(batch, height, width, 3, heads, dim // heads).unbind(3)
    rows = []
    for i in range(height):
        for j in range(width):
            near = [(a, b) for a in window(i, height, k, dilation) for b in window(j, width, k, dilation)]
            scores = torch.stack([(q[:, i, j] * key[:, a, b]).sum(-1) for a, b in near], -1) / (dim // heads) ** 0.5
            steps = [((a - i) // dilation + k - 1, (b - j) // dilation + k - 1) for a, b in near]
            weights = (scores + torch.stack([block.bias[:, a, b] for a, b in steps], -1)).softmax(-1)
            values = torch.stack([value[:, a, b] for a, b in near], 2)
            rows.append((weights[..., None] * values).sum(2).flatten(1))
    return block.proj(torch.stack(rows, 1)).mT.view_as(x)


def test_parameters_and_macs_are_exact():
    block = NeighborhoodAttention(768)
    assert sum(p.numel() for p in block.parameters()) == 4 * 768**2 + 4 * 768 + 12 * 13**2
    # Per frame, the closed form of the reference's row: 4 M D^2 + 2 M K D, with K = 49 keys instead of its 3 x 49.
    assert 8 * block.macs(14, 14).total == 4_053_417_984 - 2 * 8 * 196 * 2 * 49 * 768
    # Linear in the pixels, which is the point: four times the map, four times the price.
    assert block.macs(56, 56) == 4 * block.macs(28, 28) == 16 * block.macs(14, 14)


@pytest.mark.parametrize(
    ("kernel", "dilation", "size"),
    [
        (3, 1, (9, 17)),
        (5, 1, (16, 6)),
        (7, 1, (8, 9)),
        (3, 2, (11, 8)),
        (3, 3, (9, 10)),
        (3, 4, (7, 23)),
        (5, 9, (6, 7)),
    ],
)
def test_equals_loops_over_pixels(kernel, dilation, size):
    block = random_block(8, kernel, dilation, num_heads=2)
    x = torch.randn(2, 8, *size, dtype=torch.float64)
    parameters = list(block.parameters())
    expected = gradients(lambda x: looped(block, x), x, parameters)
    torch.testing.assert_close(gradients(block, x, parameters), expected)
    with torch.no_grad():  # another kernel
        torch.testing.assert_close(block(x), expected[0])


@pytest.mark.parametrize("size", [(5, 5), (7, 4), (1, 6)])
def test_is_full_attention_where_the_window_holds_the_map(size):
    block = random_block(8, 7, num_heads=2)
    torch.nn.init.zeros_(block.bias)
    full = SelfAttention(8, 2).double()
    full.load_state_dict({name: value for name, value in block.state_dict().items() if name != "bias"})
    x = torch.randn(2, 8, *size, dtype=torch.float64)
    torch.testing.assert_close(block(x), full(x.flatten(2).mT).mT.view_as(x))


@pytest.mark.parametrize("dilation", [1, 2])
def test_moves_with_the_image_away_from_the_border(dilation):
    block = random_block(8, 3, dilation, num_heads=2)
    x = torch.randn(1, 8, 17, 19, dtype=torch.float64)
    border = dilation
    before = block(x[:, :, :-1, :-2])[..., border:-border, border:-border]
    after = block(x[:, :, 1:, 2:])[..., border:-border, border:-border]
    torch.testing.assert_close(before[..., 1:, 2:], after[..., :-1, :-2])


def test_no_intermediate_holds_a_window_per_pixel():
    class LargestOutput(TorchDispatchMode):
        nbytes = 0

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            out = function(*args, **(kwargs or {}))
            tensors = out if isinstance(out, tuple | list) else [out]
            stored = [t.untyped_storage().nbytes() for t in tensors if isinstance(t, torch.Tensor)]
            self.nbytes = max([self.nbytes, *stored])
            return out

    with torch.device("meta"):
        block, x = NeighborhoodAttention(128), torch.empty(1, 128, 56, 56)
        with LargestOutput() as largest:
            block(x)
    assert largest.nbytes < 7 * 7 * x.nbytes / 10


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="kernel_size=4 must be odd, such as 5"):
        NeighborhoodAttention(32, 4)
    with pytest.raises(ValueError, match="dilation=0 must be at least 1"):
        NeighborhoodAttention(32, 3, 0)
    with pytest.raises(ValueError, match="dim=32 is not a multiple of num_heads=5"):
        NeighborhoodAttention(32, num_heads=5)
