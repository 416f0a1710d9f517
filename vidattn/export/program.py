"""One graph for clips of any batch, and of other lengths and sizes where that is asked for."""

import contextlib
import io
import logging
import re
import warnings
from collections.abc import Iterator

import torch
from torch.export import Dim, ExportedProgram

from vidattn.export.graphs import Graph
from vidattn.mistakes import Mistake

EXAMPLE = 2
"""Clips that the graph is traced with: torch would take 1 for a number that stays."""

INPUT = "video"


def traced(
    graph: Graph, clip: tuple[int, int, int], dynamic: dict[str, int], what: str
) -> tuple[ExportedProgram, torch.Tensor, dict[str, dict[int, Dim]]]:
    """The program, the clips that it was traced with, and which of their axes are open.

    Args:
        graph: in evaluation mode.
        clip: frames, height and width of the clips that it is made for.
        dynamic: the axes that are open beside the batch (frames, size), and what their lengths are multiples of.
        what: the network, for the message.

    Raises:
        ValueError: the graph cannot be traced, or depends on the length of an axis that is to be open.
    """
    axes: dict[int, Dim] = {0: Dim("batch")}
    if "frames" in dynamic:
        axes[2] = _multiples("frames", dynamic["frames"])
    if "size" in dynamic:
        axes[3], axes[4] = _multiples("height", dynamic["size"]), _multiples("width", dynamic["size"])
    example = torch.zeros(EXAMPLE, 3, *clip, dtype=torch.uint8)
    shapes = {INPUT: axes}
    try:
        with torch.no_grad(), quietly():
            return torch.export.export(graph, (example,), dynamic_shapes=shapes), example, shapes
    except Exception as error:  # torch fails in a hundred ways
        reason = _reason(error)
        if dynamic:
            raise Mistake(
                f"{what} cannot be exported with {' and '.join(dynamic)} open: its graph depends on how long they are "
                f"(torch.export: {reason}); leave out {' or '.join(dynamic)}"
            ) from error
        raise Mistake(f"{what} cannot be exported (torch.export: {reason})") from error


def _reason(error: Exception) -> str:
    """The line that tells most: what an axis would have to be, or else the first."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    if "Suggested fixes:" in lines:
        return ", ".join(
            line for line in lines[lines.index("Suggested fixes:") + 1 :] if re.fullmatch(r"\w+ = .*", line)
        )
    return lines[0]


def _multiples(name: str, multiple: int) -> Dim:
    """An open axis whose length is a multiple of that."""
    return Dim(name, min=1) if multiple == 1 else multiple * Dim(f"{name}_{multiple}", min=1)


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """What torch's exporters print and log on their way is not shown: they say at the end what is wrong."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir", "torch.export")]
    before = [logger.level for logger in loggers]
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            for logger in loggers:
                logger.setLevel(logging.ERROR)
            yield
        finally:
            for logger, level in zip(loggers, before, strict=True):
                logger.setLevel(level)
