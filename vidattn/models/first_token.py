"""Attention of which only the first token's update is wanted, and the last block of a network that reads that token."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidattn.attention.heads import SelfAttention
from vidattn.attention.joint import JointAttention
from vidattn.attention.parts import QueryValueBias
from vidattn.attention.spatial import SpatialAttention
from vidattn.grid import Grid
from vidattn.macs import Macs
from vidattn.models.block import Block


class FirstToken(nn.Module):
    """The first token's update in `JointAttention` or `SpatialAttention`, without keys and values of the others.

    One query `q` per head asks of tokens `x`: `q . (W_k x) = (W_k^T q) . x`, and `sum a (W_v x) = W_v (sum a x)`, so
    the two large products become products with a vector per head. The keys' bias adds the same to all scores, which
    the softmax takes away; the values' bias comes out as it is, as weights sum to one. For `SpatialAttention` the mean
    over the frames, which is linear too, is taken of the weights.

    Args:
        attention: the step; queries and keys go into their scores as they are.
    """

    def __init__(self, attention: JointAttention | SpatialAttention) -> None:
        super().__init__()
        self.attn = attention.attn
        self.by_frame = isinstance(attention, SpatialAttention)

    @staticmethod
    def takes(step: nn.Module) -> bool:
        """Whether it can stand for this step."""
        attn = getattr(step, "attn", None)
        return (
            type(step) in (JointAttention, SpatialAttention)
            and type(attn) is SelfAttention
            and not attn.query_key
            and type(attn.qkv) in (nn.Linear, QueryValueBias)
        )

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """`(B, S, D)` -> `(B, 1, D)`."""
        heads, dim = self.attn.num_heads, x.shape[-1]
        to_query, to_key, to_value = self.attn.qkv.weight.unflatten(0, (3, heads, dim // heads))  # each (heads, d, D)
        bias = self.attn.qkv.bias
        of_query, _, of_value = (None,) * 3 if bias is None else bias.chunk(3)
        query = F.linear(x[:, 0], to_query.flatten(0, 1), of_query) * (dim // heads) ** -0.5
        asked = torch.einsum("bhd,hde->bhe", query.unflatten(-1, (heads, -1)), to_key)
        seen = self.weights(x @ asked.mT, grid).mT @ x  # (B, heads, D)
        value = torch.einsum("bhe,hde->bhd", seen, to_value).flatten(1)
        return self.attn.proj(value if of_value is None else value + of_value).unsqueeze(1)

    def weights(self, scores: Tensor, grid: Grid) -> Tensor:
        """Scores `(B, S, heads)` -> what the token takes of each, the mean over its copies: the same shape."""
        if not self.by_frame:
            return scores.softmax(1)
        prefix, video = scores[:, : grid.prefix], scores[:, grid.prefix :].unflatten(1, (grid.frames, -1))
        copies = prefix.unsqueeze(1).expand(-1, grid.frames, -1, -1)
        weights = torch.cat((copies, video), dim=2).softmax(2)  # (B, T, P + N, heads)
        video = weights[:, :, grid.prefix :].flatten(1, 2) / grid.frames
        return torch.cat((weights[:, :, : grid.prefix].mean(1), video), dim=1)

    def macs(self, grid: Grid) -> Macs:
        """`4 D^2 + 2 heads S D`."""
        dim = self.attn.qkv.weight.shape[1]
        return Macs(linear=4 * dim**2, attention=2 * self.attn.num_heads * grid.num_tokens * dim)


class FirstOfAll(nn.Module):
    """The first token's update in any step, all of which is computed.

    Args:
        step: the step.
    """

    def __init__(self, step: nn.Module) -> None:
        super().__init__()
        self.step = step

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """`(B, S, D)` -> `(B, 1, D)`."""
        return self.step(x, grid)[:, :1]

    def macs(self, grid: Grid) -> Macs:
        """The step's."""
        return self.step.macs(grid)  # type: ignore[operator]


class FirstTokenBlock(nn.Module):
    """The first token that leaves a `Block`: what other tokens would become in its last step and its MLP is left out.

    Steps at the end that give prefix tokens no update are left out altogether. Exact, gradients too; no dropout.

    Args:
        block: the last one of a network whose read-out takes the first token, a prefix token; its layers are shared.
    """

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.mlp_norm, self.mlp = block.mlp_norm, block.mlp
        steps = list(block.steps)
        while steps and not getattr(steps[-1], "moves_prefix", True):
            steps.pop()
        if steps:
            last = steps[-1]
            steps[-1] = FirstToken(last) if FirstToken.takes(last) else FirstOfAll(last)  # type: ignore[arg-type]
        self.steps = nn.ModuleList(steps)
        self.norms = nn.ModuleList(list(block.norms)[: len(steps)])

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """`(B, S, D)` -> `(B, 1, D)`."""
        for norm, step in zip(self.norms[:-1], self.steps[:-1], strict=True):
            x = x + step(norm(x), grid)
        first = x[:, :1]
        if len(self.steps):
            first = first + self.steps[-1](self.norms[-1](x), grid)
        return first + self.mlp(self.mlp_norm(first))

    def grid_after(self, grid: Grid) -> Grid:
        """One token, a prefix."""
        return Grid(0, 0, 0, prefix=1)

    def macs(self, grid: Grid) -> Macs:
        """Cost of the steps that are left, and of the MLP on one token."""
        return sum((step.macs(grid) for step in self.steps), self.mlp.macs(1))  # type: ignore[operator]
