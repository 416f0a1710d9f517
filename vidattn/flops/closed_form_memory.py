"""Closed forms of what a training step keeps, where the steps of a block have one: the other count of memory.

For other steps autograd itself is asked, on the meta device (`vidattn.flops.activations`): a form for each of forty
blocks, with all their gathers and gates, would say in a page what autograd tells in ten milliseconds.

A linear layer keeps its input, a LayerNorm its input and two fp32 numbers per token, GELU its input, fused attention
queries, keys, values, its output and one fp32 number per query and head. Sums keep nothing. What two layers keep, they
keep once.
"""

from torch import nn
from torchvision.ops import StochasticDepth

from vidattn.attention.heads import Heads
from vidattn.grid import Grid
from vidattn.models.block import Block
from vidattn.models.layers import ACTIVATIONS

FP32 = 4  # bytes


def closed_form_bytes(block: Block, grid: Grid, runs: int, itemsize: int) -> int | None:
    """Bytes kept by `runs` runs of the block on `grid`, its input included; None where there is no closed form.

    Args:
        block: the block, in training.
        grid: the tokens of one run.
        runs: rows of the batch that the block gets.
        itemsize: bytes of a number of the stream.
    """
    if block.mlp is None:
        return None
    drops = any(drop.p for drop in block.drop if isinstance(drop, nn.Dropout | StochasticDepth))
    if grid.num_video_tokens == 1:
        return None  # what is a copy of several tokens may be a view of one
    if drops or not all(isinstance(norm, nn.LayerNorm) for norm in [*block.norms, block.mlp_norm]):
        return None
    if block.mlp.activation not in ACTIVATIONS.values():
        return None
    stream, dim, hidden = grid.num_tokens, block.mlp.fc1.in_features, block.mlp.fc1.out_features
    numbers = (len(block.steps) + 1) * stream * dim  # inputs of the norms
    fp32_numbers = (len(block.steps) + 1) * stream * 2
    numbers += stream * (dim + 2 * hidden)  # inputs of the MLP's first layer, its GELU and its second layer
    for step in block.steps:
        rows = step.kept_rows(grid, runs)  # type: ignore[operator]
        heads = [part for part in step.modules() if isinstance(part, Heads)]
        if rows is None or any(one.query_key for one in heads):
            return None  # rotary positions and norms keep what they turn and norm
        numbers += (rows.entering + 4 * rows.attending + rows.following) * dim  # q, k, v and the output of attention
        fp32_numbers += rows.attending * heads[0].num_heads
    return runs * (numbers * itemsize + fp32_numbers * FP32)
