"""Whether the data have labels, and mean the same by them as the checkpoint."""

from collections.abc import Sequence
from typing import Any


def check_names(data: Sequence[str], checkpoint: Sequence[str]) -> None:
    """Compare the names of the classes, as far as both have any.

    Raises:
        ValueError: they differ, or stand in another order: every label would be wrong.
    """
    for label, (ours, theirs) in enumerate(zip(data, checkpoint, strict=False)):
        if ours != theirs:
            raise ValueError(
                f"class {label} is {ours!r} in the data but {theirs!r} in the checkpoint; "
                f"set data.class_names to the checkpoint's: {list(checkpoint)}"
            )


def check_labelled(data: Any, split: str) -> None:
    """
    Raises:
        ValueError: the split is given, but none of its videos has a class.
    """
    if not data.sources.get(split) or data.manifest(split).labelled:
        return
    source = data.sources[split]
    if split == "train":
        need = "and training needs them; give a folder for each class, or a list with a label in each row"
    else:
        need = f"so nothing can be scored; give a list with labels, or data.{split}=null and vidattn predict the videos"
    raise ValueError(f"data.{split}={source} has no labels, {need}")
