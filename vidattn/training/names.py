"""Whether data and checkpoint mean the same by a label."""

from collections.abc import Sequence


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
