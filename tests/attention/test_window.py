"""Windows in space and time against torchvision's, and against dense attention with a mask on any grid."""

import itertools

import pytest
import torch
from grouped import gradients, randomised
from torch.utils._python_dispatch import TorchDispatchMode
from torchvision.models.video.swin_transformer import ShiftedWindowAttention3d as TorchvisionAttention

from vidattn.attention.window import ShiftedWindowAttention3D, WindowAttention3D
from vidattn.grid import Grid
from vidattn.models.presets import build_network, preset

PATH = "vidattn.attention.window"
steps = pytest.mark.parametrize(("step", "shifted"), [(WindowAttention3D, 0), (ShiftedWindowAttention3D, 1)])


def random_step(step, *args):
    return randomised(step(*args))


def dense(attention, x, grid, shifted):
    """Every pair of tokens scored, and dropped unless both lie in one window or the query is a prefix token."""
    window = torch.tensor(attention.window)
    place = torch.tensor(list(itertools.product(*(range(n) for n in grid[:3]))))  # (M, 3)
    shift = shifted * (window // 2) * (torch.tensor(grid[:3]) > window)
    home = (place - shift).div(window, rounding_mode="floor")
    together = (home[:, None] == home).all(-1)
    step = (place[:, None] - place).clamp(1 - window, window - 1) + window - 1
    p, s, heads = grid.prefix, grid.num_tokens, attention.attn.num_heads
    bias = torch.zeros(heads, s, s, dtype=x.dtype)
    bias[:, p:, :p] = -torch.inf
    bias[:, p:, p:] = attention.bias[:, step[..., 0], step[..., 1], step[..., 2]].masked_fill(~together, -torch.inf)

    q, k, v = attention.attn.qkv(x).view(len(x), s, 3, heads, -1).permute(2, 0, 3, 1, 4)
    mixed = (q @ k.mT / q.shape[-1] ** 0.5 + bias).softmax(-1) @ v
    return attention.attn.proj(mixed.transpose(1, 2).flatten(2))


@steps
@pytest.mark.parametrize(
    "grid",
    [Grid(4, 8, 6, 0), Grid(5, 4, 7), Grid(2, 9, 5, 4), Grid(1, 2, 3), Grid(3, 3, 4, 0), Grid(7, 6, 2)],
    ids=str,
)
def test_equals_dense_attention_with_a_mask(step, shifted, grid):
    attention = random_step(step, 8, 2, 2, 4, 3)
    x = torch.randn(2, grid.num_tokens, 8, dtype=torch.float64)
    parameters = list(attention.parameters())
    expected = gradients(lambda x: dense(attention, x, grid, shifted), x, parameters)
    torch.testing.assert_close(gradients(lambda x: attention(x, grid), x, parameters), expected)
    with torch.no_grad():  # another kernel
        torch.testing.assert_close(attention(x, grid), expected[0])
        torch.testing.assert_close(attention.float()(x.float(), grid), expected[0].float(), rtol=1e-5, atol=1e-5)


@steps
@pytest.mark.parametrize("size", [(4, 6, 8), (2, 3, 8), (2, 6, 4), (1, 6, 8)])
def test_equals_torchvision_where_the_window_divides(step, shifted, size):
    attention = random_step(step, 12, 3, 2, 3, 4)
    theirs = TorchvisionAttention(12, [2, 3, 4], [shifted * side // 2 for side in (2, 3, 4)], 3).double()
    weights = {name.removeprefix("attn."): value for name, value in attention.state_dict().items()}
    weights["relative_position_bias_table"] = weights.pop("bias").flatten(1).mT
    theirs.load_state_dict(weights | {"relative_position_index": theirs.relative_position_index})
    grid = Grid(*size, prefix=0)
    x = torch.randn(2, grid.num_tokens, 12, dtype=torch.float64)

    ours = gradients(lambda x: attention(x, grid), x, [attention.attn.qkv.weight, attention.bias])
    out, dx, dqkv, dtable = gradients(
        lambda x: theirs(x.unflatten(1, size)).flatten(1, 3),
        x,
        [theirs.qkv.weight, theirs.relative_position_bias_table],
    )
    torch.testing.assert_close(ours, (out, dx, dqkv, dtable.mT.reshape(attention.bias.shape)))


def test_cost_of_the_attention_layer_is_the_published_one():
    plain, shifted = WindowAttention3D(768, 12, 8, 7, 7), ShiftedWindowAttention3D(768, 12, 8, 7, 7)
    grid = Grid(8, 14, 14, prefix=0)
    assert sum(p.numel() for p in plain.parameters()) == 2_362_368 + 30_420
    assert plain.macs(grid).total == 4_643_487_744
    # Rows and columns fall into windows of 3, 7 and 4: squares 9 + 49 + 16, not 2 x 49, twice.
    assert plain.macs(grid).attention == 2 * 768 * 8**2 * (2 * 49) ** 2 == 944_111_616
    assert shifted.macs(grid).attention == 2 * 768 * 8**2 * (9 + 49 + 16) ** 2 == 944_111_616 - 405_798_912


def test_cost_of_the_whole_model_is_the_published_one_but_for_bias_and_shift():
    with torch.device("meta"):
        plain, shifted = (
            build_network(preset("B", attention=f"{PATH}.{name}(8,7,7)", pooling="mean"))
            for name in ("WindowAttention3D", "ShiftedWindowAttention3D")
        )
    assert sum(p.numel() for p in plain.parameters()) == 86_475_904 == 86_110_864 + 12 * 30_420
    cost, saved = plain.macs(8, 224, 224).total, plain.macs(8, 224, 224).total - shifted.macs(8, 224, 224).total
    assert cost == 145_432_031_232
    assert cost - saved // 2 == 142_997_237_760  # as with six blocks of each


@steps
def test_nothing_grows_with_the_square_of_the_clip(step, shifted):
    class LargestOutput(TorchDispatchMode):
        numel = 0

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            out = function(*args, **(kwargs or {}))
            tensors = out if isinstance(out, tuple | list) else [out]
            self.numel = max([self.numel, *(t.numel() for t in tensors if isinstance(t, torch.Tensor))])
            return out

    attention, grid = step(16, 2, 2, 4, 4), Grid(5, 18, 18)
    with torch.no_grad(), LargestOutput() as largest:
        attention(torch.randn(1, grid.num_tokens, 16), grid)
    assert largest.numel == 3 * grid.num_tokens * 16  # queries, keys and values


@steps
def test_bad_arguments_are_named(step, shifted):
    with pytest.raises(ValueError, match=r"h=0 must be at least 1"):
        step(32, 4, 2, 0, 3)
    with pytest.raises(ValueError, match="dim=32 is not a multiple of num_heads=5"):
        step(32, 5)
