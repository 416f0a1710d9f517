"""From the last block's tokens to one vector per clip."""

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor, nn

from vidattn.attention.heads import attend, heads_of
from vidattn.attention.parts import VIT, Parts
from vidattn.grid import Grid
from vidattn.macs import Macs
from vidattn.models.layers import Mlp


class ReadOut(nn.Module, ABC):
    """Makes one vector of a token stream, and says how many prefix tokens it needs in that stream.

    Args:
        dim: token width D; every read-out is offered it, and those without parameters have no use for it.
        num_heads: number of heads; the same.
        parts: what its layers are made of; the same.

    Attributes:
        num_prefix: prefix tokens that it needs.
        takes_normed: whether the network's last norm comes before it. It follows the read-out by default.
        brings_norm: whether it has that norm within itself, so that the network has none.
    """

    num_prefix: ClassVar[int]
    takes_normed: ClassVar[bool] = False
    brings_norm: ClassVar[bool] = False

    def __init__(self, dim: int | None = None, num_heads: int | None = None, parts: Parts = VIT) -> None:
        super().__init__()

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """`(B, S, D)` -> `(B, D)`."""

    def pooled(self, x: Tensor) -> Tensor:
        """`(B, S, n)` -> `(B, n)`: what it makes one of all tokens by, where no attention weights do."""
        return self(x)

    def macs(self, grid: Grid) -> Macs:
        """Cost of one `forward` on one clip: nothing, unless a read-out says otherwise."""
        return Macs()

    def macs_of_call(self, inputs: tuple, output: Tensor) -> Macs:
        """Cost of a call of `forward` with these inputs, all clips of the batch."""
        (tokens,) = inputs
        return tokens.shape[0] * self.macs(Grid(1, 1, tokens.shape[1] - self.num_prefix, self.num_prefix))


class ClassToken(ReadOut):
    """The first prefix token. ViT, https://arxiv.org/abs/2010.11929, section 3.1."""

    num_prefix = 1

    def forward(self, x: Tensor) -> Tensor:
        """`(B, S, D)` -> `(B, D)`."""
        return x[:, 0]


class RegisterTokens(ReadOut):
    """The class token, with four registers beside it that nobody reads: room for what belongs to no location.

    Vision Transformers Need Registers, https://arxiv.org/abs/2309.16588, section 2.2; four is the number that the paper
    settles on. Registers are prefix tokens like the class token, and every scheme treats them alike.
    """

    num_prefix = 5

    def forward(self, x: Tensor) -> Tensor:
        """`(B, S, D)` -> `(B, D)`."""
        return x[:, 0]


class MeanPooling(ReadOut):
    """The mean of all tokens; there is no prefix. As in ViViT's models 3 and 4 and in VideoMAE's fine-tuning."""

    num_prefix = 0

    def forward(self, x: Tensor) -> Tensor:
        """`(B, S, D)` -> `(B, D)`."""
        return x.mean(1)


class MeanOfNormed(ReadOut):
    """The mean of all tokens, each of them normed; there is no prefix. Of encoders that were pre-trained to end with
    their norm (V-JEPA 2, VideoPrism) it is what their authors' code calls features, averaged."""

    num_prefix = 0
    takes_normed = True

    def forward(self, x: Tensor) -> Tensor:
        """`(B, S, D)` -> `(B, D)`."""
        return x.mean(1)


class AttentivePooling(ReadOut):
    """A learned query attends to all tokens, then passes an MLP: a transformer block with a single query; no prefix.

    The attentive probe of V-JEPA, https://arxiv.org/abs/2404.08471: the mixture of values is added to the query, and
    the MLP's output to that. Tokens are normed first (V-JEPA's encoder ends with a norm). The query is learned as it
    enters the product with the keys, and the MLP follows the heads directly: neither has a projection of its own.

    Args:
        dim: token width D; a multiple of `num_heads`.
        num_heads: number of heads; D / 64 by default.
        parts: what its layers are made of.

    Raises:
        ValueError: `dim` is not a multiple of `num_heads`.
    """

    num_prefix = 0

    def __init__(self, dim: int, num_heads: int | None = None, parts: Parts = VIT) -> None:
        super().__init__()
        self.dim = dim
        self.num_heads = heads_of(dim, num_heads)
        self.query = nn.Parameter(torch.empty(1, 1, dim))
        self.norm = parts.norm(dim, 1e-6)
        self.kv = parts.linear(dim, 2 * dim)
        self.mlp_norm = parts.norm(dim, 1e-6)
        self.mlp = Mlp(dim, 4 * dim, parts=parts)
        nn.init.trunc_normal_(self.query, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, S, D)` -> `(B, D)`."""
        k, v = self.kv(self.norm(x)).unflatten(-1, (2, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        query = self.query.expand(x.shape[0], -1, -1)
        q = query.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)  # (B, heads, 1, d)
        pooled = (query + attend(q, k, v).transpose(1, 2).flatten(2)).squeeze(1)
        return pooled + self.mlp(self.mlp_norm(pooled))

    def macs(self, grid: Grid) -> Macs:
        """`2 S D^2 + 2 S D`, and `8 D^2` in the MLP."""
        tokens = grid.num_tokens
        return Macs(linear=2 * tokens * self.dim**2, attention=2 * tokens * self.dim) + self.mlp.macs(1)


def read_out(readout: ReadOut, norm: nn.Module, x: Tensor) -> Tensor:
    """One vector of each row of tokens, `(B, S, D)` -> `(B, D)`, with the last norm where the read-out has it."""
    return readout(norm(x)) if readout.takes_normed else norm(readout(x))
