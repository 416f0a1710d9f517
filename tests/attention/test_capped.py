"""VideoPrism's attention, whose scores never pass a cap."""

import torch

from vidattn.attention.capped import CappedAttention
from vidattn.grid import Grid


def test_scores_are_capped_before_the_softmax():
    attention = CappedAttention(16, 2, cap=2).double()
    for parameter in attention.parameters():
        torch.nn.init.normal_(parameter)
    x = torch.randn(1, 5, 16, dtype=torch.float64)
    q, k, v = attention.qkv(x)[0].view(5, 3, 2, 8).unbind(1)
    heads = []
    for h in range(2):
        scores = q[:, h] @ k[:, h].T / 8**0.5
        assert scores.abs().max() > 2
        heads.append((2 * torch.tanh(scores / 2)).softmax(-1) @ v[:, h])
    torch.testing.assert_close(attention(x, Grid(1, 1, 5, 0))[0], attention.proj(torch.cat(heads, dim=1)))
