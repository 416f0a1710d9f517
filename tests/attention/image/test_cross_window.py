"""Cross-shaped windows against dense attention masked to the stripes, and LePE against loops over a stripe."""

import pytest
import torch
from grouped import gradients

from vidattn.attention.image.cross_window import CrossShapedWindowAttention


def random_block(*args):
    torch.manual_seed(0)
    block = CrossShapedWindowAttention(*args).double()
    for parameter in block.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return block


def dense(block, x):
    """Every pair of pixels scored; heads of the first half keep a stripe of rows, of the second one of columns."""
    batch, _, height, width = x.shape
    heads, stripe = 2 * block.rows.num_heads, block.stripe_width
    q, k, v = block.qkv(x.flatten(2).mT).view(batch, height * width, 3, heads, -1).permute(2, 0, 3, 1, 4)
    row = torch.arange(height).repeat_interleave(width) // stripe
    column = torch.arange(width).repeat(height) // stripe
    apart = torch.stack([line[:, None] != line for line in (row, column)]).repeat_interleave(heads // 2, 0)
    scores = (q @ k.mT / q.shape[-1] ** 0.5).masked_fill(apart, -torch.inf)
    mixed = (scores.softmax(-1) @ v).mT.reshape(x.shape)
    return block.proj((mixed + lepe(block, v.mT.reshape(x.shape))).movedim(1, -1)).movedim(-1, 1)


def lepe(block, v):
    """The 3 x 3 neighbours of each value that lie in its stripe; the column half sees its stripes transposed."""
    half, stripe = v.shape[1] // 2, block.stripe_width
    out = torch.zeros_like(v) + torch.cat((block.rows.lepe.bias, block.columns.lepe.bias))[:, None, None]
    for i in range(v.shape[2]):
        for j in range(v.shape[3]):
            for a in range(max(0, i - 1), min(v.shape[2], i + 2)):
                for b in range(max(0, j - 1), min(v.shape[3], j + 2)):
                    if a // stripe == i // stripe:
                        kernel = block.rows.lepe.weight[:, 0, a - i + 1, b - j + 1]
                        out[:, :half, i, j] = out[:, :half, i, j] + kernel * v[:, :half, a, b]
                    if b // stripe == j // stripe:
                        kernel = block.columns.lepe.weight[:, 0, b - j + 1, a - i + 1]
                        out[:, half:, i, j] = out[:, half:, i, j] + kernel * v[:, half:, a, b]
    return out


def test_parameters_and_macs_are_those_of_the_reference():
    block = CrossShapedWindowAttention(768)
    assert sum(p.numel() for p in block.parameters()) == 2_370_048
    assert 8 * block.macs(14, 14).total == 3_946_242_048


@pytest.mark.parametrize(("stripe", "size"), [(2, (4, 6)), (3, (7, 5)), (1, (3, 4)), (7, (4, 9)), (2, (1, 3))])
def test_equals_dense_attention(stripe, size):
    block = random_block(8, stripe, 4)
    x = torch.randn(2, 8, *size, dtype=torch.float64)
    parameters = list(block.parameters())
    expected = gradients(lambda x: dense(block, x), x, parameters)
    torch.testing.assert_close(gradients(block, x, parameters), expected)
    with torch.no_grad():  # another kernel
        torch.testing.assert_close(block(x), expected[0])


def test_rows_and_columns_are_the_same_idea_transposed():
    block = random_block(8, 2, 2)
    x = torch.randn(1, 8, 5, 6, dtype=torch.float64)
    mirror = CrossShapedWindowAttention(8, 2, 2).double()
    weights = block.state_dict()
    swap = [4, 5, 6, 7, 0, 1, 2, 3]
    mirror.load_state_dict(
        {
            "qkv.weight": weights["qkv.weight"].view(3, 8, 8)[:, swap].flatten(0, 1),
            "qkv.bias": weights["qkv.bias"].view(3, 8)[:, swap].flatten(),
            "proj.weight": weights["proj.weight"][:, swap],
            "proj.bias": weights["proj.bias"],
        }
        | {f"rows.lepe.{name}": weights[f"columns.lepe.{name}"] for name in ("weight", "bias")}
        | {f"columns.lepe.{name}": weights[f"rows.lepe.{name}"] for name in ("weight", "bias")}
    )
    torch.testing.assert_close(mirror(x.mT), block(x).mT)


@pytest.mark.parametrize(("dim", "heads"), [(32, 2), (64, 2), (192, 2), (768, 12)])
def test_the_default_number_of_heads_is_even(dim, heads):
    assert 2 * CrossShapedWindowAttention(dim).rows.num_heads == heads


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="num_heads=3 is odd"):
        CrossShapedWindowAttention(48, num_heads=3)
    with pytest.raises(ValueError, match="dim=30 is not a multiple of num_heads=4"):
        CrossShapedWindowAttention(30, num_heads=4)
    with pytest.raises(ValueError, match="stripe_width=0 must be at least 1"):
        CrossShapedWindowAttention(32, 0)
