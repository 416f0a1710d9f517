"""What a network costs: parameters, multiply-accumulates by part and by block, activation memory."""

from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from vidattn.attention.per_frame import step_name
from vidattn.checks import check_positive
from vidattn.flops.activations import block_bytes
from vidattn.flops.agreement import CountError, check_macs
from vidattn.flops.closed_form_memory import closed_form_bytes
from vidattn.flops.outline import Ends, Outline, num_parameters
from vidattn.flops.weightless import network_on_meta
from vidattn.grid import Grid
from vidattn.macs import Macs
from vidattn.models.block import Block
from vidattn.models.network import Network, NetworkConfig


@dataclass(frozen=True)
class MacsByUse:
    """Multiply-accumulates of one clip, by what they are for.

    Attributes:
        patch_embedding: pixels to tokens.
        projections: products with weights in attention steps: queries, keys, values, outputs.
        attention: scores, and sums weighted by them.
        mlp: the blocks' MLPs.
        convolution: convolutions in attention steps.
        head: the read-out and the classifier.
    """

    patch_embedding: int = 0
    projections: int = 0
    attention: int = 0
    mlp: int = 0
    convolution: int = 0
    head: int = 0

    @property
    def total(self) -> int:
        """All multiply-accumulates."""
        return sum(asdict(self).values())


@dataclass(frozen=True)
class BlockCount:
    """One block's share.

    Attributes:
        name: steps of the block, such as `TemporalAttention + SpatialAttention`.
        runs: how often it runs for one clip: a frame at a time, or once.
        parameters: numbers that it learns.
        parts: multiply-accumulates of one clip.
        activation_bytes: what a training step keeps of it until the backward pass.
    """

    name: str
    runs: int
    parameters: int
    parts: MacsByUse
    activation_bytes: int

    @property
    def macs(self) -> int:
        """All multiply-accumulates."""
        return self.parts.total


@dataclass(frozen=True)
class Count:
    """Cost of one clip, in plain numbers; 1 MAC = 2 FLOPs.

    Attributes:
        attention: the scheme.
        frames: frames of the clip.
        height: of the clip in pixels.
        width: of the clip in pixels.
        parameters: numbers that the network learns.
        parts: multiply-accumulates by part; `blocks` hold theirs.
        batch: clips of a training step.
        dtype: type of the activations, such as `float32`.
        activation_bytes: what a training step keeps for its backward pass, weights not included, where attention is
            fused (see `vidattn.flops.activations.kept_bytes`).
        blocks: each block on its own.
    """

    attention: str
    frames: int
    height: int
    width: int
    parameters: int
    parts: MacsByUse
    batch: int
    dtype: str
    activation_bytes: int
    blocks: tuple[BlockCount, ...] = field(repr=False)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one clip."""
        return self.parts.total

    @property
    def flops(self) -> int:
        """Floating-point operations of one clip: 2 x MACs."""
        return 2 * self.macs

    def row(self) -> dict[str, str | int]:
        """Everything but the blocks as one flat row, for a table or `pandas.DataFrame([...])`."""
        return {
            "attention": self.attention,
            "frames": self.frames,
            "height": self.height,
            "width": self.width,
            "parameters": self.parameters,
            "macs": self.macs,
            "flops": self.flops,
            **{f"{name}_macs": macs for name, macs in asdict(self.parts).items()},
            "batch": self.batch,
            "dtype": self.dtype,
            "activation_bytes": self.activation_bytes,
        }


def count(
    network: Network | NetworkConfig,
    frames: int | None = None,
    height: int | None = None,
    width: int | None = None,
    batch: int = 1,
    dtype: torch.dtype = torch.float32,
    check: bool = True,
) -> Count:
    """The cost of one clip, from the closed forms beside each `forward`; no weights are made.

    >>> from vidattn import preset
    >>> count(preset("B", attention="divided")).macs
    195830280192

    Args:
        network: a network of this package, or the configuration of one. Its tables of positions stay as they are: at
            another size they are interpolated, and have the parameters that they had.
        frames: frames of the clip; by default those that the network is made for, as for height and width.
        height: of the clip in pixels.
        width: of the clip in pixels; by default the height if that is given.
        batch: clips of a training step, for its memory.
        dtype: type of weights and activations, for the memory.
        check: run the network on the meta device as well and compare, module by module, what it does with what it
            declares. Takes some tenths of a second; without it a twentieth.

    Raises:
        CountError: what a module does is not what it declares.
        ValueError: the clip has no frames, or patches and tubelets do not divide it.
        TypeError: it is another module.
    """
    if not isinstance(network, Network | NetworkConfig):
        raise TypeError(
            f"count takes a network of this package or a configuration, not a {type(network).__name__}; "
            "vidattn.flops.measure(module, input) counts any module"
        )
    config = network if isinstance(network, NetworkConfig) else network.config
    frames = config.num_frames if frames is None else frames
    width = (config.size[1] if height is None else height) if width is None else width
    height = config.size[0] if height is None else height
    check_positive(frames=frames, batch=batch)
    config.check_clip(frames, height, width)
    twin = network_on_meta(network, dtype)
    if check:
        check_macs(twin, frames, height, width, batch)
    outline = Outline(twin)
    ends = outline.count_ends(frames, height, width, batch)
    return count_outline(outline, config, ends, frames, height, width, batch, check)


def count_outline(
    outline: Outline,
    config: NetworkConfig,
    ends: Ends,
    frames: int,
    height: int,
    width: int,
    batch: int = 1,
    check: bool = False,
) -> Count:
    """The cost of one clip, of a network that is taken apart already; see `count`.

    Args:
        outline: the network; its tables of positions are not looked at.
        config: of the network: its scheme, and whether blocks are recomputed.
        ends: with tables of positions as they shall be.
        frames: frames of the clip.
        height: of the clip in pixels.
        width: of the clip in pixels.
        batch: clips of a training step.
        check: measure also the memory that closed forms tell.

    Raises:
        CountError: a block keeps something else than its closed form says.
    """
    blocks = _blocks(outline, frames, height, width, batch, check)
    patch, between, head = outline.ends.end_macs(frames, height, width)
    body = MacsByUse(patch_embedding=patch.total, convolution=between.total, head=head.total)
    for block in blocks:
        body = MacsByUse(**{name: own + getattr(block.parts, name) for name, own in asdict(body).items()})
    kept = ends.activation_bytes + sum(block.activation_bytes for block in blocks)
    if config.gradient_checkpointing:
        kept -= _recomputed_bytes(outline, blocks, frames, height, width, batch)
    return Count(
        attention=config.title,
        frames=frames,
        height=height,
        width=width,
        parameters=ends.parameters + sum(block.parameters for block in blocks),
        parts=body,
        batch=batch,
        dtype=str(next(outline.ends.parameters()).dtype).removeprefix("torch."),
        activation_bytes=kept,
        blocks=blocks,
    )


def _blocks(outline: Outline, frames: int, height: int, width: int, batch: int, check: bool) -> tuple[BlockCount, ...]:
    counts: dict[Any, BlockCount] = {}  # blocks that are alike are counted once
    rows = []
    grids = outline.block_grids(frames, height, width)
    for index, (kind, (runs, grid)) in enumerate(zip(outline.kinds, grids, strict=True)):
        if (key := (kind, runs, grid)) not in counts:
            block = outline.blocks[kind]
            form = closed_form_bytes(block, grid, batch * runs, next(outline.ends.parameters()).dtype.itemsize)
            if check:
                kept = block_bytes(block, grid, batch * runs)
            else:
                kept = outline.block_bytes(kind, grid, batch * runs) if form is None else form
            if form not in (None, kept):
                raise CountError(f"block {index} on {grid} keeps {kept:,} bytes, its closed form says {form:,}")
            counts[key] = BlockCount(
                name=" + ".join(step_name(step) for step in block.steps),
                runs=runs,
                parameters=num_parameters(block),
                parts=_parts(block, runs, grid),
                activation_bytes=kept,
            )
        rows.append(counts[key])
    return tuple(rows)


def _parts(block: Block, runs: int, grid: Grid) -> MacsByUse:
    whole, mlp = runs * block.macs(grid), Macs()
    if block.mlp is not None:  # a block of convolutions has none
        mlp = runs * block.mlp.macs(block.grid_after(grid).num_tokens)
    return MacsByUse(
        projections=whole.linear - mlp.linear,
        attention=whole.attention,
        convolution=whole.convolution,
        mlp=mlp.linear,
    )


def _recomputed_bytes(
    outline: Outline, blocks: tuple[BlockCount, ...], frames: int, height: int, width: int, batch: int
) -> int:
    """What gradient checkpointing saves: of all blocks but the largest, everything but the input."""
    size = batch * next(outline.ends.parameters()).dtype.itemsize
    grids = outline.block_grids(frames, height, width)
    insides = [
        count.activation_bytes - size * block.dim * runs * grid.num_tokens
        for count, block, (runs, grid) in zip(blocks, outline.blocks, grids, strict=True)
    ]
    return sum(insides) - max(insides)
