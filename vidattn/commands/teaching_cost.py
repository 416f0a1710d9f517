"""What a step with a teacher costs, for `vidattn flops` of a configuration of one."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from vidattn.attention.imported import imported
from vidattn.commands.task_costs import cost_row, cost_table
from vidattn.comparison.source import read_run
from vidattn.training.distil import Distillation
from vidattn.training.teacher import Teacher


def teaching_rows(path: str, frames: int, height: int, width: int) -> list[dict[str, Any]]:
    """A row for the student, one for the teacher and one for both, forward, in plain numbers; none where `path` is not
    the YAML, or the folder, of a `vidattn.Distillation`. The backward pass is the student's alone.

    Args:
        path: what `vidattn flops` was asked about.
        frames: of a clip of the student's.
        height: in pixels.
        width: in pixels.

    Raises:
        ValueError: the teacher cannot be read, or does not see such clips; the message says why.
    """
    file = Path(path) / "config.yaml" if Path(path).is_dir() else Path(path)
    if file.suffix not in (".yaml", ".yml"):
        return []
    config, run = read_run(file)
    model = run["model"]
    if "class_path" not in model or not issubclass(imported(model["class_path"], f"{file}: model"), Distillation):
        return []
    teacher = Teacher(model["init_args"]["teacher"])
    costs = {
        "student": config.build().macs(frames, height, width).total,
        "teacher": teacher.network.macs(*teacher.clip_of(frames, height, width)).total,
    }
    costs["step, forward"] = sum(costs.values())
    return [cost_row("distillation", name, macs, costs["student"]) for name, macs in costs.items()]


def teaching_table(rows: Sequence[Mapping[str, Any]], title: str) -> Table:
    """The rows of `teaching_rows` for the terminal."""
    return cost_table(rows, title, "of the student's")
