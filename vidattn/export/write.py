"""Writing a graph into a file, and running what was written before it may stand there."""

from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from vidattn.export.about import OPEN, About
from vidattn.export.graphs import Graph
from vidattn.export.onnx_file import OPSET, Session, check_onnx, write_onnx
from vidattn.export.program import EXAMPLE, traced
from vidattn.export.pt2 import run_pt2, write_pt2
from vidattn.mistakes import Mistake
from vidattn.models.network import NetworkConfig
from vidattn.writable import check_place, make_folder, put_in_place, writing

ENDINGS = (".pt2", ".onnx")
LIMIT = 1e-4
"""The largest difference between a file's answers and the network's that is let through."""

BATCHES = (1, 3, 4)
"""Clips that a file is tried with; it was traced with two."""


class Written(NamedTuple):
    """A file that was written.

    Args:
        file: where it stands.
        about: what it says of itself.
        difference: the largest between its answers and the network's, over that of the answers where it is above 1.
    """

    file: Path
    about: About
    difference: float


def check_file(file: Path, opset: int | None = None, num_bytes: int = 0) -> None:
    """Raise unless so many bytes of weights can be written to the file, before any work.

    Raises:
        ValueError: another ending, a place that cannot be written to, an unknown opset, or a library that is missing.
    """
    if file.suffix not in ENDINGS:
        raise Mistake(f"{file}: wanted a name that ends in {' or '.join(ENDINGS)}")
    if file.suffix == ".onnx":
        check_onnx(OPSET if opset is None else opset, num_bytes, file)
    elif opset is not None:
        raise Mistake(f"opset={opset} is ONNX's, and {file.name} is none; leave it out, or write {file.stem}.onnx")
    check_place(file, folder=False, size=num_bytes + (1 << 20))


def multiples(config: NetworkConfig, asked: list[str]) -> dict[str, int]:
    """What the lengths of the axes that are asked for must be multiples of, as far as the configuration says it.

    Raises:
        ValueError: there is no such axis.
    """
    if unknown := [name for name in asked if name not in OPEN]:
        raise Mistake(f"dynamic={unknown[0]!r} is unknown; choose of {', '.join(OPEN)} (the batch is always open)")
    sides = {"frames": getattr(config, "tubelet_size", 1), "size": getattr(config, "patch_size", 1)}
    return {name: sides[name] for name in OPEN if name in asked}


def write_exported(graph: Graph, about: About, file: Path, opset: int | None = None) -> Written:
    """Write the graph to a file that ends in .pt2 or .onnx, and run that on three clips of other batch sizes.

    Args:
        graph: on the CPU.
        about: what is to be known of it; its clip and what is open count.
        file: an older one is replaced, once the new one has proven itself.
        opset: of ONNX.

    Raises:
        ValueError: as `check_file`; or the graph cannot be exported so; or its answers differ by more than `LIMIT`.
            Nothing is left behind then.
    """
    check_file(file, opset, sum(one.numel() * one.element_size() for one in graph.parameters()))
    graph.eval()
    about = replace(about, outputs=dict(graph.outputs), version=version("vidattn"))
    if file.suffix == ".onnx":
        about = replace(about, opset=OPSET if opset is None else opset)
    clip = (about.num_frames, about.height, about.width)
    program, example, shapes = traced(graph, clip, about.dynamic, about.scheme)
    make_folder(file.parent)
    with writing(file), put_in_place(file) as part:
        if file.suffix == ".onnx":
            write_onnx(program, example, shapes, about, part)
            run: Callable[[Tensor], dict[str, Tensor]] = Session(part)
        else:
            write_pt2(program, about, part)
            run = run_pt2(part)
        difference = largest_difference(graph, run, about)
        if not difference <= LIMIT:
            raise Mistake(
                f"{file}: its answers differ from the network's by {difference:.1e}, and {LIMIT:.0e} is let through; "
                f"nothing was written; take {'.pt2' if file.suffix == '.onnx' else '.onnx'}, or tell us of this scheme"
            )
    return Written(file, about, difference)


def largest_difference(graph: Graph, run: Callable[[Tensor], dict[str, Tensor]], about: About) -> float:
    """The largest difference between what `run` and the graph answer about random clips of other batch sizes, and of
    other lengths and sizes where they are open; over the largest answer where that is above 1."""
    largest = torch.zeros(())
    random = torch.Generator().manual_seed(0)
    for place, batch in enumerate(BATCHES):
        frames, height, width = about.num_frames, about.height, about.width
        frames += place * about.dynamic.get("frames", 0)
        height, width = (
            height + place * about.dynamic.get("size", 0),
            width + (place > 1) * about.dynamic.get("size", 0),
        )
        clips = torch.randint(256, (batch, 3, frames, height, width), dtype=torch.uint8, generator=random)
        with torch.no_grad():
            wanted, found = graph(clips), run(clips)
        for name, one in wanted.items():
            gap = (found[name].float() - one).abs().amax() / one.abs().amax().clamp(min=1)
            largest = torch.maximum(largest, gap)  # which keeps NaN
    assert EXAMPLE not in BATCHES
    return largest.item()
