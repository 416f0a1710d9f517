"""Names for the classes of a network."""

from collections.abc import Sequence
from pathlib import Path

_KINETICS = 400


def names_for(
    num_classes: int, stored: Sequence[str], given: Sequence[str] | str | Path | None
) -> tuple[list[str], list[str]]:
    """K names, and a sentence where they had to be assumed: the given ones, else the checkpoint's, else a guess.

    Without any, 400 classes are taken for Kinetics-400 in alphabetical order, as all its public models have them, and
    others are numbered.

    >>> names_for(2, [], None)[0]
    ['class 0', 'class 1']

    Args:
        num_classes: K.
        stored: names from the checkpoint; empty where it has none.
        given: names, or a text file with one on each line.

    Raises:
        ValueError: there are more or fewer names than classes.
    """
    if given is not None:
        names = _lines(Path(given)) if isinstance(given, (str, Path)) else list(given)
        where = f" in {given}" if isinstance(given, (str, Path)) else ""
        if len(names) != num_classes:
            raise ValueError(f"{len(names)} class names{where}, but the network has {num_classes} classes")
        return names, []
    if stored:
        return list(stored), []
    advice = "class_names=... (names, or a file with one on each line) changes that"
    if num_classes == _KINETICS:
        from torchvision.models.video import R3D_18_Weights  # holds the names; no weights are read

        names = list(R3D_18_Weights.KINETICS400_V1.meta["categories"])
        return names, [f"the checkpoint names no classes; its 400 are taken for Kinetics-400; {advice}"]
    return [f"class {label}" for label in range(num_classes)], [f"the checkpoint names no classes; {advice}"]


def _lines(file: Path) -> list[str]:
    try:
        return [line.strip() for line in file.read_text().splitlines() if line.strip()]
    except OSError as error:
        raise ValueError(
            f"class_names={file}: cannot read it ({error.strerror}); give a text file, a name a line"
        ) from None
