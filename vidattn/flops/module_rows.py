"""`vidattn flops torchvision.models.video.swin3d_t --input 1,3,32,224,224`: what any module does, whoever wrote it."""

import argparse
import importlib
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from vidattn.flops.measuring import measure
from vidattn.mistakes import Mistake


def shape(text: str) -> tuple[int, ...]:
    """Sides of a tensor, as in `1,3,32,224,224`.

    Raises:
        argparse.ArgumentTypeError: something between the commas is no number from 1 up.
    """
    words = text.split(",")
    if not all(word.strip().isdecimal() and int(word) for word in words):
        raise argparse.ArgumentTypeError(f"{text!r} is no shape; write 1,3,32,224,224")
    return tuple(int(word) for word in words)


def module_rows(path: str, sides: Sequence[int]) -> list[dict[str, Any]]:
    """A row for the whole, for each operator that is counted, and for each that computes and is not, see `measure`.

    Args:
        path: where to import a function or class from that gives a module when called without arguments. It is called
            on the meta device, so that no weights are made, and the module is put into evaluation mode.
        sides: shape of the one tensor that the module takes, fp32.

    Raises:
        ValueError: there is nothing of that name, or it gives no module, or the module does not take such a tensor.
    """
    place, _, name = path.rpartition(".")
    if not place:
        raise Mistake(f"{path} is no import path, which --input needs; for a preset or a scheme leave --input out")
    # Whatever the module's author raises at a wrong call is an answer to it.
    try:
        factory = getattr(importlib.import_module(place), name)
        with torch.device("meta"):
            module = factory()
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        raise Mistake(f"{path}: --input needs what can be imported and called without arguments: {why}") from error
    if not isinstance(module, nn.Module):
        raise Mistake(f"{path} gives a {type(module).__name__}; wanted a torch.nn.Module")
    try:
        cost = measure(module.eval(), torch.empty(*sides, device="meta"))
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        raise Mistake(f"{path} fails on a tensor of shape {tuple(sides)}: {why}") from error
    rows = [{"row": "all", "macs": cost.macs, "flops": cost.flops, "parameters": cost.parameters}]
    rows += [{"row": name, "macs": macs, "flops": 2 * macs} for name, macs in cost.by_operator.items()]
    rows += [
        {"row": f"not counted: {line.operator}", "calls": line.calls, "elements": line.elements}
        for line in cost.uncounted
    ]
    return [
        {key: row.get(key, "") for key in ("row", "macs", "flops", "parameters", "calls", "elements")} for row in rows
    ]


def text(rows: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    """The rows as text for the terminal, without the parameters."""
    unit, scale = ("G", 1e9) if rows[0]["macs"] >= 1e9 else ("M", 1e6)

    def written(value: int | str, divisor: float = 0) -> str:
        if value == "":
            return ""
        return f"{int(value) / divisor:,.3f}" if divisor else f"{value:,}"

    return [
        {
            "operator": row["row"],
            f"{unit}MACs": written(row["macs"], scale),
            f"{unit}FLOPs": written(row["flops"], scale),
        }
        | {key: written(row[key]) for key in ("calls", "elements")}
        for row in rows
    ]
