"""Swin's windows against torchvision's (maps that the window divides) and a dense masked attention (any map)."""

import itertools

import pytest
import torch
from grouped import gradients
from torchvision.models.swin_transformer import ShiftedWindowAttention as TorchvisionAttention

from vidattn.attention.image.window import ShiftedWindowAttention, WindowAttention

BLOCKS = [(WindowAttention, 0), (ShiftedWindowAttention, 1)]
blocks = pytest.mark.parametrize(("block_class", "shifted"), BLOCKS)


def random_block(block_class, *args):
    torch.manual_seed(0)
    block = block_class(*args).double()
    for parameter in block.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return block


def dense(block, x, window, shift):
    """Every pair of pixels scored, and dropped unless both lie in one window of the shifted grid."""
    attn, (height, width) = block.attn, x.shape[2:]
    pixels = list(itertools.product(range(height), range(width)))
    shifts = (shift if height > window else 0, shift if width > window else 0)
    windows = [tuple((p - s) // window for p, s in zip(pixel, shifts, strict=True)) for pixel in pixels]
    apart = torch.tensor([[a != b for b in windows] for a in windows])
    steps = torch.tensor([[(a[0] - b[0], a[1] - b[1]) for b in pixels] for a in pixels]).clamp(1 - window, window - 1)
    bias = attn.bias[:, steps[..., 0] + window - 1, steps[..., 1] + window - 1]

    tokens = x.flatten(2).mT
    q, k, v = attn.qkv(tokens).view(len(x), len(pixels), 3, attn.num_heads, -1).permute(2, 0, 3, 1, 4)
    scores = (q @ k.mT / q.shape[-1] ** 0.5 + bias).masked_fill(apart, -torch.inf)
    mixed = (scores.softmax(-1) @ v).transpose(1, 2).flatten(2)
    return attn.proj(mixed).mT.view_as(x)


@blocks
def test_parameters_and_macs_are_exact(block_class, shifted):
    block = block_class(768)
    assert sum(p.numel() for p in block.parameters()) == 4 * 768**2 + 4 * 768 + 12 * 13**2
    # Per frame, Video Swin's closed form with windows (1, 7, 7): 4 M D^2 + 2 M 49 D.
    assert 8 * block.macs(14, 14).total == 3_699_376_128 + 118_013_952
    # A border window costs as much as a whole one; the projections see no padding.
    assert block.macs(15, 9).attention == block.macs(21, 14).attention
    assert block.macs(15, 9).linear == 4 * 15 * 9 * 768**2


@blocks
@pytest.mark.parametrize("size", [(8, 12), (12, 4), (4, 4)])
def test_equals_torchvision_where_the_window_divides(block_class, shifted, size):
    block = random_block(block_class, 12, 4, 3)
    theirs = TorchvisionAttention(12, [4, 4], [2 * shifted, 2 * shifted], 3).double()
    names = {"qkv.weight", "qkv.bias", "proj.weight", "proj.bias"}
    weights = {name: value for name, value in block.attn.state_dict().items() if name in names}
    weights["relative_position_bias_table"] = block.attn.bias.detach().flatten(1).mT
    theirs.load_state_dict(weights | {"relative_position_index": theirs.relative_position_index})
    x = torch.randn(2, 12, *size, dtype=torch.float64)

    ours = gradients(block, x, [block.attn.qkv.weight, block.attn.bias])
    out, dx, dqkv, dtable = gradients(
        lambda x: theirs(x.movedim(1, -1)).movedim(-1, 1), x, [theirs.qkv.weight, theirs.relative_position_bias_table]
    )
    torch.testing.assert_close(ours, (out, dx, dqkv, dtable.mT.reshape(block.attn.bias.shape)))


@blocks
@pytest.mark.parametrize("size", [(10, 7), (5, 9), (3, 9), (2, 3), (8, 5)])
def test_equals_dense_attention_where_it_does_not(block_class, shifted, size):
    block = random_block(block_class, 8, 4, 2)
    x = torch.randn(2, 8, *size, dtype=torch.float64)
    parameters = list(block.parameters())
    expected = gradients(lambda x: dense(block, x, 4, 2 * shifted), x, parameters)
    torch.testing.assert_close(gradients(block, x, parameters), expected)
    with torch.no_grad():  # another kernel
        torch.testing.assert_close(block(x), expected[0])


@blocks
def test_moves_with_the_image_by_whole_windows(block_class, shifted):
    block = random_block(block_class, 8, 3, 2)
    x = torch.randn(1, 8, 12, 15, dtype=torch.float64)
    moved = block(x.roll((3, 6), (2, 3)))
    inner = (..., slice(6, -3), slice(9, -3))  # away from the border, and from what the roll brought in
    torch.testing.assert_close(moved[inner], block(x).roll((3, 6), (2, 3))[inner])


@blocks
def test_bad_arguments_are_named(block_class, shifted):
    with pytest.raises(ValueError, match="dim=32 is not a multiple of num_heads=5"):
        block_class(32, 7, 5)
    with pytest.raises(ValueError, match="window_size=0 must be at least 1"):
        block_class(32, 0)
