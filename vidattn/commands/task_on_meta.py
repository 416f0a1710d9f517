"""The task that a configuration trains, without weights: to ask it what it costs."""

from pathlib import Path
from typing import TypeVar

import torch
from jsonargparse import ArgumentParser

from vidattn.attention.imported import imported
from vidattn.comparison.source import read_run
from vidattn.training.module import VideoModule

Task = TypeVar("Task", bound=VideoModule)


def task_on_meta(path: str, kind: type[Task]) -> Task | None:
    """The task of a YAML of `vidattn fit`, or of a run's folder, on the meta device; None where `path` is neither, or
    the task is no `kind`.

    Raises:
        ValueError: the task cannot be built; the message says why.
    """
    file = Path(path) / "config.yaml" if Path(path).is_dir() else Path(path)
    if file.suffix not in (".yaml", ".yml"):
        return None
    model = read_run(file)[1]["model"]
    if "class_path" not in model or not issubclass(imported(model["class_path"], f"{file}: model"), kind):
        return None
    arguments = {name: value for name, value in (model.get("init_args") or {}).items() if name != "weights"}
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(VideoModule, "model")
    with torch.device("meta"):
        parsed = parser.parse_object({"model": {**model, "init_args": arguments}})
        return parser.instantiate_classes(parsed).model
