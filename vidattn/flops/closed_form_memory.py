"""Closed forms of what a training step keeps, for blocks of TimeSformer's schemes: the other count of memory.

For other steps autograd itself is asked, on the meta device (`vidattn.flops.activations`): a form for each of forty
blocks, with all their gathers and gates, would say in a page what autograd tells in ten milliseconds.

A linear layer keeps its input, a LayerNorm its input and two fp32 numbers per token, GELU its input, fused attention
queries, keys, values, its output and one fp32 number per query and head. Sums keep nothing. What two layers keep, they
keep once.
"""

from torch import nn
from torchvision.ops import StochasticDepth

from vidattn.attention.axial import HeightAttention, WidthAttention
from vidattn.attention.factorised import PlainTemporalAttention
from vidattn.attention.heads import Heads, SelfAttention
from vidattn.attention.joint import JointAttention
from vidattn.attention.local_global import GlobalAttention, phases
from vidattn.attention.spatial import SpatialAttention
from vidattn.attention.temporal import TemporalAttention
from vidattn.grid import Grid
from vidattn.models.block import Block

FP32 = 4  # bytes


def closed_form_bytes(block: Block, grid: Grid, runs: int, itemsize: int) -> int | None:
    """Bytes kept by `runs` runs of the block on `grid`, its input included; None where there is no closed form.

    Args:
        block: the block, in training.
        grid: the tokens of one run.
        runs: rows of the batch that the block gets.
        itemsize: bytes of a number of the stream.
    """
    drops = any(drop.p for drop in block.drop if isinstance(drop, nn.Dropout | StochasticDepth))
    if grid.num_video_tokens == 1:
        return None  # what is a copy of several tokens may be a view of one
    if drops or not all(isinstance(norm, nn.LayerNorm) for norm in [*block.norms, block.mlp_norm]):
        return None
    stream, dim, hidden = grid.num_tokens, block.mlp.fc1.in_features, block.mlp.fc1.out_features
    numbers = (len(block.steps) + 1) * stream * dim  # inputs of the norms
    fp32_numbers = (len(block.steps) + 1) * stream * 2
    numbers += stream * (dim + 2 * hidden)  # inputs of the MLP's first layer, its GELU and its second layer
    for step in block.steps:
        rows = kept_rows(step, grid, runs)
        if rows is None:
            return None
        inputs, attended, following = rows
        numbers += (inputs + 4 * attended + following) * dim  # q, k, v and the output of attention
        assert isinstance(step.attn, SelfAttention)
        fp32_numbers += attended * step.attn.num_heads
    return runs * (numbers * itemsize + fp32_numbers * FP32)


def kept_rows(step: nn.Module, grid: Grid, runs: int) -> tuple[int, int, int] | None:
    """Tokens that a step keeps: as they enter, as they attend, and as a layer behind its projection takes them.

    A prefix token counts as often as it is copied.
    """
    video, prefix, stream = grid.num_video_tokens, grid.prefix, grid.num_tokens
    if any(isinstance(heads, Heads) and heads.query_key for heads in step.modules()):
        return None  # rotary positions and norms keep what they turn and norm
    part = stream if runs == 1 else video  # a view of the stream keeps all of it; of several streams it is a copy
    match step:
        case JointAttention():
            return stream, stream, 0
        case TemporalAttention() | WidthAttention():
            return part, video, video
        case PlainTemporalAttention():
            return part, video, 0
        case SpatialAttention():
            return (copied := video + grid.frames * prefix), copied, 0
        case HeightAttention():
            return (copied := video + grid.frames * grid.width * prefix), copied, 0
        case GlobalAttention():
            groups = len(phases(grid.frames)) * len(phases(grid.height)) * len(phases(grid.width))
            return (copied := video + groups * prefix), copied, 0
        case _:
            return None
