import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchvision.ops import deform_conv2d

from vidattn.attention.image.deformable import DeformableAttention


def build(**arguments) -> DeformableAttention:
    torch.manual_seed(0)
    block = DeformableAttention(24, num_heads=6, **arguments).double()
    for parameter in block.parameters():
        nn.init.normal_(parameter, std=0.5)
    return block


@pytest.mark.parametrize("size", [(8, 12), (7, 9)], ids=str)
@pytest.mark.parametrize("num_groups", [1, 3])
def test_samples_what_a_deformable_convolution_samples(size, num_groups):
    block = build(num_groups=num_groups)
    width = 24 // num_groups
    x = torch.randn(2, 24, *size, dtype=torch.float64, requires_grad=True)
    slopes = torch.randn_like(x)
    rows, columns = -(-size[0] // 2), -(-size[1] // 2)

    # Torchvision wants, for each group, (y, x) from the pixel 2 i of its stride, in pixels.
    queries = block.q(x.flatten(2).mT)
    offsets = []
    for group in queries.mT.view(2, num_groups, width, *size).unbind(1):
        seen = F.conv2d(group, block.look.weight, block.look.bias, stride=2, padding=2, groups=width)
        seen = F.layer_norm(seen.permute(0, 2, 3, 1), (width,), block.norm.weight, block.norm.bias)
        by_x, by_y = (F.gelu(seen) @ block.move.weight.T).tanh().unbind(-1)
        cell_y, cell_x = size[0] / rows, size[1] / columns
        stride_y, stride_x = torch.arange(rows).view(-1, 1), torch.arange(columns)
        y = (stride_y + 0.5 + by_y) * cell_y - 0.5 - 2 * stride_y
        offsets += [y, (stride_x + 0.5 + by_x) * cell_x - 0.5 - 2 * stride_x]
    identity = torch.eye(24, dtype=torch.float64).view(24, 24, 1, 1)
    sampled = deform_conv2d(x, torch.stack(offsets, 1), identity, stride=2)

    k, v = block.kv(sampled.flatten(2).mT).split(24, dim=-1)
    q, k, v = (tensor.view(2, -1, 6, 4).transpose(1, 2) for tensor in (queries, k, v))
    mixed = (q @ k.mT / 2).softmax(-1) @ v
    expected = block.proj(mixed.transpose(1, 2).flatten(2)).mT.view(x.shape)

    torch.testing.assert_close(block(x), expected)
    (slope,) = torch.autograd.grad((block(x) * slopes).sum(), x)
    torch.testing.assert_close(slope, torch.autograd.grad((expected * slopes).sum(), x)[0])


def test_points_that_stay_on_every_pixel_make_full_attention():
    block = build(reduction=1, num_groups=2)
    nn.init.zeros_(block.move.weight)
    reference = nn.MultiheadAttention(24, 6, batch_first=True, dtype=torch.float64)
    reference.in_proj_weight.data = torch.cat((block.q.weight, block.kv.weight)).detach()
    reference.in_proj_bias.data = torch.cat((block.q.bias, block.kv.bias)).detach()
    reference.out_proj.load_state_dict(block.proj.state_dict())
    x = torch.randn(2, 24, 5, 7, dtype=torch.float64)
    pixels = x.flatten(2).mT
    torch.testing.assert_close(block(x), reference(pixels, pixels, pixels)[0].mT.view(x.shape))


def test_points_move_up_to_the_offset_range_and_not_further():
    block = build(offset_range=0.75)
    with torch.no_grad():
        block.move.weight *= 1e6
    q = torch.randn(4, 24, 10, 6, dtype=torch.float64)
    cells = (block.points(q) + 1) / 2 * torch.tensor([3.0, 5.0])  # in cells, x before y
    from_centre = (cells - cells.floor() - 0.5).abs()
    torch.testing.assert_close(from_centre, torch.full_like(from_centre, 0.25))  # 0.75 from its own centre


def test_has_the_reference_parameters_and_macs():
    block = DeformableAttention(768, num_groups=3, kernel_size=9, reduction=2)
    assert sum(parameter.numel() for parameter in block.parameters()) == 2_384_384
    assert 8 * block.macs(14, 14).total == 2_455_111_680


def test_says_what_is_wrong():
    with pytest.raises(ValueError, match="num_heads=4 is not a multiple of num_groups=3"):
        DeformableAttention(32, num_groups=3, num_heads=4)
    with pytest.raises(ValueError, match="kernel_size=4 must be odd"):
        DeformableAttention(32, kernel_size=4)
    with pytest.raises(ValueError, match="reduction=0 must be at least 1"):
        DeformableAttention(32, reduction=0)
    with pytest.raises(ValueError, match="dim=32 is not a multiple of num_heads=3"):
        DeformableAttention(32, num_heads=3)
