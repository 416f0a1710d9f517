"""What a step of pre-training costs, for `vidattn flops` of a configuration of one."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from jsonargparse import ArgumentParser
from rich.table import Table

from vidattn.attention.imported import imported
from vidattn.comparison.source import read_run
from vidattn.tables import rich_table
from vidattn.training.masked_prediction import MaskedPrediction
from vidattn.training.module import VideoModule


def painting_rows(path: str, frames: int, height: int, width: int) -> list[dict[str, Any]]:
    """A row for the network on what it sees of a clip and one for what paints the rest, forward, in plain numbers;
    none where `path` is not the YAML, or the folder, of a pre-training by painting.

    Args:
        path: what `vidattn flops` was asked about.
        frames: of a clip.
        height: in pixels.
        width: in pixels.

    Raises:
        ValueError: the task cannot be built; the message says why.
    """
    file = Path(path) / "config.yaml" if Path(path).is_dir() else Path(path)
    if file.suffix not in (".yaml", ".yml"):
        return []
    model = read_run(file)[1]["model"]
    if "class_path" not in model or not issubclass(imported(model["class_path"], f"{file}: model"), MaskedPrediction):
        return []
    arguments = {name: value for name, value in (model.get("init_args") or {}).items() if name != "weights"}
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(VideoModule, "model")
    with torch.device("meta"):
        parsed = parser.parse_object({"model": {**model, "init_args": arguments}})
        task = parser.instantiate_classes(parsed).model
    whole = task.network.features_macs(frames, height, width).total
    grid = task.config.grid(frames, height, width)
    keep = task.mask.keep(grid, [0])
    seen = task.seen(keep, grid)
    tokens = keep.tokens(grid).shape[1] if seen.leaves_out else grid.num_video_tokens
    encoder, painter = (part.total for part in task.macs(frames, height, width))
    rows = [
        (f"network, on {tokens} of {grid.num_video_tokens} tokens", encoder),
        ("what paints the rest", painter),
        ("step, forward", encoder + painter),
    ]
    return [
        {"row": f"pre-training: {name}", "macs": macs, "flops": 2 * macs, "share": round(macs / whole, 6)}
        for name, macs in rows
    ]


def painting_table(rows: Sequence[Mapping[str, Any]], title: str) -> Table:
    """The rows of `painting_rows` for the terminal."""
    cells = [
        {
            "": row["row"].removeprefix("pre-training: "),
            "GMACs": f"{row['macs'] / 1e9:,.3f}",
            "GFLOPs": f"{row['flops'] / 1e9:,.3f}",
            "of the whole clip's": f"{row['share']:.1%}",
        }
        for row in rows
    ]
    return rich_table(cells, title)
