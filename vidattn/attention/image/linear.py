"""Linear attention: a feature map in the softmax's place, so that keys and values are summed up once for all."""

from torch import Tensor
from torch.overrides import handle_torch_function, has_torch_function

from vidattn.attention.base import ImageAttention, Role
from vidattn.attention.heads import heads_of
from vidattn.attention.parts import VIT, Parts
from vidattn.macs import Macs


class LinearAttention(ImageAttention):
    """All pixels attend to all at a price linear in their number; returns the mixture, without a residual.

    Transformers are RNNs, https://arxiv.org/abs/2006.16236, section 3.2, equations 4 to 7, not causal:
    `phi(q) (sum phi(k) v^T) / (phi(q) sum phi(k))` with `phi(x) = elu(x) + 1`.

    Args:
        dim: channel width D; a multiple of `num_heads`.
        num_heads: number of heads; D / 64 by default.
        parts: what the layers are made of.

    Raises:
        ValueError: `dim` is not a multiple of `num_heads`.
    """

    sees, cost, paper = "the map, through sums of all keys", "N C^2 / heads", "2006.16236"
    role = Role("", ("proj",), optional=True)

    def __init__(self, dim: int, num_heads: int | None = None, *, parts: Parts = VIT) -> None:
        super().__init__()
        self.num_heads = heads_of(dim, num_heads)
        self.dim = dim
        self.qkv = parts.linear(dim, 3 * dim)
        self.proj = parts.linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, D, H, W)` -> `(B, D, H, W)`."""
        pixels = x.flatten(2).transpose(1, 2)
        q, k, v = self.qkv(pixels).unflatten(-1, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)  # (B, h, N, d)
        mixed = self.proj(linear_attend(q, k, v).transpose(1, 2).flatten(2))
        return mixed.transpose(1, 2).unflatten(2, x.shape[2:])

    def macs(self, height: int, width: int) -> Macs:
        """`4 N D^2 + 2 N D d + N D` with head width d = D / heads: linear in the N pixels."""
        pixels = height * width
        return Macs(
            linear=4 * pixels * self.dim**2,
            attention=pixels * self.dim * (2 * self.dim // self.num_heads + 1),
        )


def linear_attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """`phi(q) (sum phi(k) v^T) / (phi(q) sum phi(k))` over `(..., n, d)`, with no `n x n` matrix.

    A `TorchFunctionMode` can step in, as for PyTorch's own functions: `vidattn.explain.spread` asks for the weights.
    """
    if has_torch_function((q, k, v)):
        return handle_torch_function(linear_attend, (q, k, v), q, k, v)
    # The means of keys give the quotient that the paper's sums give, and large maps do not overflow in fp16.
    q, k = positive(q), positive(k) / k.shape[-2]
    return q @ (k.mT @ v) / (q @ k.sum(-2).unsqueeze(-1))


def linear_weights(q: Tensor, k: Tensor) -> Tensor:
    """The matrix `(..., n, m)` that `linear_attend` multiplies its values by and never makes."""
    products = positive(q) @ positive(k).mT
    return products / products.sum(-1, keepdim=True)


def positive(x: Tensor) -> Tensor:
    """`elu(x) + 1`, written so that it does not round to zero for very negative numbers: the normaliser divides by it.

    >>> import torch
    >>> positive(torch.tensor([-60.0, 0.0, 2.0]))
    tensor([8.7565e-27, 1.0000e+00, 3.0000e+00])
    """
    return x.clamp(max=0).exp() + x.relu()
