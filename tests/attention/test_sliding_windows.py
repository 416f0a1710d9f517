import pytest
import torch

from vidattn.attention.sliding_windows import neighborhood_attention


def window_of(position: int, length: int, side: int) -> range:
    first = min(max(position - side // 2, 0), length - side)
    return range(first, first + side)


@pytest.mark.parametrize("window", [(1, 3, 3), (3, 3, 5), (3, 1, 1)])
def test_equals_attention_to_the_gathered_window_with_its_gradients(window):
    clip = (3, 4, 5)
    q, k, v = (torch.randn(2, *clip, 2, 8, dtype=torch.float64, requires_grad=True) for _ in range(3))
    got = neighborhood_attention(q, k, v, window)
    expected = torch.empty_like(got)
    for t, h, w in torch.cartesian_prod(*map(torch.arange, clip)).tolist():
        box = [torch.tensor(window_of(p, n, s)) for p, n, s in zip((t, h, w), clip, window, strict=True)]
        keys, values = (x[:, box[0]][:, :, box[1]][:, :, :, box[2]].flatten(1, 3) for x in (k, v))
        scores = torch.einsum("bhd,bnhd->bhn", q[:, t, h, w], keys) / 8**0.5
        expected[:, t, h, w] = torch.einsum("bhn,bnhd->bhd", scores.softmax(-1), values)
    torch.testing.assert_close(got, expected)
    direction = torch.randn_like(got)
    for ours, theirs in zip(
        torch.autograd.grad(got, (q, k, v), direction), torch.autograd.grad(expected, (q, k, v), direction), strict=True
    ):
        torch.testing.assert_close(ours, theirs)
