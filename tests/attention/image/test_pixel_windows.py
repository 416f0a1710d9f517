"""Sliding windows against windows listed position by position, and attention in them against a dense mask."""

import itertools

import pytest
import torch

from vidattn.attention.image.pixel_windows import centred, inward, local_attention

AXES = list(itertools.product([1, 2, 5, 7, 8, 13, 29], [1, 3, 7], [1, 2, 3, 9]))


def windows(axis, length, kernel):
    """For each position, the keys that its window shows."""
    at = [[x + j * axis.dilation for j in range(kernel)] for x in range(length)]
    return [
        [axis.line[i].item() for i, seen in zip(*pair, strict=True) if seen] for pair in zip(at, axis.seen, strict=True)
    ]


@pytest.mark.parametrize(("length", "kernel", "dilation"), AXES)
def test_inward_windows_keep_their_size_at_the_border(length, kernel, dilation):
    axis = inward(length, kernel, dilation)
    for position, keys in enumerate(windows(axis, length, kernel)):
        group = list(range(position % dilation, length, dilation))
        # The k keys of the group that are nearest: of the windows that hold the query, the one most in the middle.
        choices = [group[start : start + kernel] for start in range(max(1, len(group) - kernel + 1))]
        assert sorted(keys) == min(choices, key=lambda choice: max(abs(key - position) for key in choice))
        assert ((torch.tensor(keys) - position) / dilation).tolist() == axis.offset[
            position, axis.seen[position]
        ].tolist()
    assert axis.all_seen == bool(axis.seen.all())


@pytest.mark.parametrize(("length", "kernel"), sorted({case[:2] for case in AXES}))
def test_centred_windows_are_cut_off_at_the_border(length, kernel):
    axis = centred(length, kernel)
    for position, keys in enumerate(windows(axis, length, kernel)):
        assert keys == [key for key in range(position - kernel // 2, position + kernel // 2 + 1) if 0 <= key < length]
    assert axis.all_seen == bool(axis.seen.all())


@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize(("size", "kernel"), [((5, 6), 3), ((3, 8), 7), ((1, 4), 5), ((4, 1), 1)], ids=str)
def test_equals_attention_with_a_dense_mask(size, kernel, dilation):
    torch.manual_seed(0)
    shape = (2, 3, *size, 4)
    q, k, v = (torch.randn(shape, dtype=torch.float64, requires_grad=True) for _ in range(3))
    bias = torch.randn(1, 3, *size, kernel, kernel, dtype=torch.float64, requires_grad=True)
    rows, columns = (inward(n, kernel, dilation) for n in size)

    dense = torch.full((3, *size, *size), -torch.inf, dtype=torch.float64)
    for y, x, i, j in itertools.product(*map(range, size), range(kernel), range(kernel)):
        if rows.seen[y, i] and columns.seen[x, j]:
            dense[:, y, x, rows.line[y + i * dilation], columns.line[x + j * dilation]] = bias[0, :, y, x, i, j]
    scores = q.flatten(2, 3) @ k.flatten(2, 3).mT / 2 + dense.flatten(3, 4).flatten(1, 2)
    expected = (scores.softmax(-1) @ v.flatten(2, 3)).view(shape)

    actual = local_attention(q, k, v, rows, columns, bias)
    torch.testing.assert_close(actual, expected)
    weights = torch.randn(shape, dtype=torch.float64)
    slopes = torch.autograd.grad((actual * weights).sum(), (q, k, v, bias))
    torch.testing.assert_close(slopes, torch.autograd.grad((expected * weights).sum(), (q, k, v, bias)))


@pytest.mark.parametrize("axis", [centred, inward])
def test_has_a_second_derivative(axis):
    torch.manual_seed(0)
    q, k, v = (torch.randn(1, 1, 3, 4, 2, dtype=torch.float64, requires_grad=True) for _ in range(3))
    assert torch.autograd.gradgradcheck(lambda q, k, v: local_attention(q, k, v, axis(3, 3), axis(4, 3)), (q, k, v))


def test_trains_under_autocast_in_the_precision_of_its_inputs():
    torch.manual_seed(0)
    q, k, v = (torch.randn(1, 1, 5, 6, 16, requires_grad=True) for _ in range(3))
    axes = inward(5, 3), inward(6, 3)
    (exact,) = torch.autograd.grad(local_attention(q, k, v, *axes).square().sum(), k)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = local_attention(q, k, v, *axes)
    (rough,) = torch.autograd.grad(mixed.square().sum(), k)
    assert rough.dtype == torch.float32
    assert (rough - exact).norm() < 0.05 * exact.norm()


def test_keeps_no_copies_of_the_windows():
    q, k, v = (torch.randn(1, 1, 24, 24, 16, requires_grad=True) for _ in range(3))
    kept = {}

    def keep(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        local_attention(q, k, v, inward(24, 7), inward(24, 7)).sum().backward()

    one_copy_of_the_windows = 49 * k.nbytes
    assert sum(kept.values()) < one_copy_of_the_windows / 4
