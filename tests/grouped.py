"""The slow oracle for schemes whose tokens attend within groups: loops over PyTorch's own attention."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from itertools import product

import torch
from torch import Tensor, nn

from vidattn.attention.heads import SelfAttention
from vidattn.grid import Grid

# Sides that two divides and sides that it does not, and each of 0, 1 and 4 prefix tokens; the last has sides of 1.
GRIDS = [Grid(4, 6, 2), Grid(3, 5, 4, prefix=0), Grid(2, 3, 7, prefix=4), Grid(1, 1, 3)]


def randomised(step: nn.Module) -> nn.Module:
    """The step in float64 with every parameter random: zero-initialised layers must not hide a wrong one."""
    torch.manual_seed(0)
    for parameter in step.parameters():
        nn.init.normal_(parameter, std=0.3)
    return step.double()


def gradients(
    function: Callable[[Tensor], Tensor], x: Tensor, parameters: Sequence[nn.Parameter]
) -> tuple[Tensor, ...]:
    """The output of `function`, and the gradients of a weighted sum of it: of `x`, and of each parameter."""
    x = x.clone().requires_grad_()
    out = function(x)
    weights = torch.linspace(-1, 1, out.numel(), dtype=out.dtype).view_as(out)
    return out, *torch.autograd.grad((out * weights).sum(), [x, *parameters])


def torchs(attention: SelfAttention) -> nn.MultiheadAttention:
    """PyTorch's attention with the same weights."""
    dim = attention.proj.in_features
    reference = nn.MultiheadAttention(dim, attention.num_heads, batch_first=True, dtype=torch.float64)
    reference.in_proj_weight.data, reference.in_proj_bias.data = attention.qkv.weight.data, attention.qkv.bias.data
    reference.out_proj.load_state_dict(attention.proj.state_dict())
    return reference


def by_groups(
    attention: nn.MultiheadAttention, x: Tensor, grid: Grid, group: Callable[..., Hashable], with_prefix: bool
) -> Tensor:
    """Tokens of the same `group(t, h, w)` attend to one another, and to the prefix where it is in every group.

    The prefix then becomes the mean of what the groups make of it; otherwise it becomes zero.
    """
    members = defaultdict(list)
    places = product(range(grid.frames), range(grid.height), range(grid.width))
    for index, place in enumerate(places, start=grid.prefix):
        members[group(*place)].append(index)
    prefix = list(range(grid.prefix)) if with_prefix else []
    updates = [[] for _ in range(grid.num_tokens)]
    for indices in members.values():
        tokens = x[:, prefix + indices]
        for index, update in zip(prefix + indices, attention(tokens, tokens, tokens)[0].unbind(1), strict=True):
            updates[index].append(update)
    return torch.stack([torch.stack(made).mean(0) if made else torch.zeros_like(x[:, 0]) for made in updates], dim=1)


def assert_same(step: nn.Module, reference: nn.MultiheadAttention, x: Tensor, grid: Grid, expected: Tensor) -> None:
    """`step` gives `expected`, and the same slopes for the input and for the weights of q, k and v."""
    weights = torch.randn_like(expected)
    update = step(x, grid)
    torch.testing.assert_close(update, expected)
    ours = torch.autograd.grad((update * weights).sum(), (x, step.attn.qkv.weight))
    theirs = torch.autograd.grad((expected * weights).sum(), (x, reference.in_proj_weight))
    torch.testing.assert_close(ours, theirs)


def measured(steps: list[nn.Module], grid: Grid) -> tuple[int, int]:
    """Parameters and declared MACs of several steps together."""
    parameters = sum(parameter.numel() for step in steps for parameter in step.parameters())
    return parameters, sum(step.macs(grid).total for step in steps)
