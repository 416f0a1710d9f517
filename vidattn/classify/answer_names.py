"""Names for the classes of a network."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from torch import nn

from vidattn.data.lists.class_files import read_class_file
from vidattn.data.lists.class_names import ClassNames
from vidattn.mistakes import Mistake
from vidattn.wording import counted

_KINETICS = 400

Given = Sequence[str] | Mapping[int, str] | str | Path


def names_for(num_classes: int, stored: Sequence[str], given: Given | None) -> tuple[list[str], list[str]]:
    """K names (the given ones, else the checkpoint's, else assumed ones), and a note where they were assumed.

    Without any, 400 classes are taken for Kinetics-400 in alphabetical order, as all its public models have them, and
    others are numbered.

    >>> names_for(2, [], None)[0]
    ['class 0', 'class 1']

    Args:
        num_classes: K.
        stored: names from the checkpoint; empty where it has none.
        given: names in the order of the classes, a dict of the classes' numbers to names (as Hugging Face's
            `id2label`), or a text file with a name on each line.

    Raises:
        ValueError: there are more or fewer names than classes, a given one is repeated, or one is no text.
    """
    if given is not None:
        names = _given(given)
        check_names(names, num_classes, f" in {given}" if isinstance(given, (str, Path)) else "")
        return names, _moved(names, stored)
    if stored:
        names, notes = _distinct(stored)
        check_names(
            names,
            num_classes,
            " in the checkpoint",
            "give them instead: class_names=... (names, or a file with one on each line)",
        )
        return names, notes
    advice = "class_names=... (names, or a file with one on each line) changes that"
    if num_classes == _KINETICS:
        from torchvision.models.video import R3D_18_Weights  # holds the names; no weights are read

        names = list(R3D_18_Weights.KINETICS400_V1.meta["categories"])
        return names, [f"the checkpoint names no classes; its 400 are taken for Kinetics-400; {advice}"]
    return [f"class {label}" for label in range(num_classes)], [f"the checkpoint names no classes; {advice}"]


def check_names(names: Sequence[str], num_classes: int | None, where: str = "", advice: str = "") -> None:
    """Raise where these cannot be the names of `num_classes` classes (of any number where that is None).

    Args:
        where: where they stand, for the message, after a space.
        advice: what to do about another number of them, for the message, instead of giving others.

    Raises:
        ValueError: there are more or fewer names than classes, one is repeated, or one is no text.
    """
    if strange := [name for name in names if not isinstance(name, str)]:
        raise Mistake(f"class_names: {strange[0]!r} is no name but {type(strange[0]).__name__}; give text")
    if repeated := [name for name, count in Counter(names).items() if count > 1]:
        more = f" and {len(repeated) - 1} more" if len(repeated) > 1 else ""
        raise Mistake(f"class_names{where}: {repeated[0]!r}{more} stands there twice; each class needs its own name")
    if num_classes is not None and len(names) != num_classes:
        if not advice:
            advice = "give one for each, in the order of training"
            if names:
                advice += f", or fine-tune a head of {len(names)}: --model.network.num_classes {len(names)}"
        held, wanted = counted(len(names), "class name"), counted(num_classes, "class", "classes")
        raise Mistake(f"{held}{where}, but the network has {wanted}; {advice}")


def classes_of(network: nn.Module) -> int | None:
    """The number of classes of `network`, read off its head; None where that is not one linear layer."""
    head = getattr(network, "head", None)
    return head.out_features if isinstance(head, nn.Linear) else None


def _distinct(stored: Sequence[str]) -> tuple[list[str], list[str]]:
    """The names, each made unique by its number where it stands for several classes, and a note if there are such.

    >>> _distinct(["run", "jump", "run"])[0]
    ['run (0)', 'jump', 'run (2)']
    """
    counts = Counter(stored)
    repeated = [name for name, count in counts.items() if count > 1]
    if not repeated:
        return list(stored), []
    names = [f"{name} ({label})" if counts[name] > 1 else name for label, name in enumerate(stored)]
    more = f" and {len(repeated) - 1} more" if repeated[1:] else ""
    return names, [f"the checkpoint calls several classes {repeated[0]!r}{more}; their numbers stand behind the name"]


def _moved(names: Sequence[str], stored: Sequence[str]) -> list[str]:
    """A sentence where a given name is the checkpoint's for another class.

    >>> _moved(["run", "jump"], ["jump", "run"])
    ["class_names says 'run' for class 0, the checkpoint for class 1: 2 names stand at another place"]
    """
    known = ClassNames(stored, numbered=False)
    moved = [(place, known.find(name)) for place, name in enumerate(names)]
    moved = [(place, there) for place, there in moved if there is not None and there != place]
    if not moved:
        return []
    (place, there), many = moved[0], counted(len(moved), "name stands", "names stand")
    where = f"class_names says {names[place]!r} for class {place}, the checkpoint for class {there}"
    return [f"{where}: {many} at another place"]


def _given(given: Given) -> list[str]:
    if isinstance(given, (str, Path)):
        return read_class_file(Path(given).expanduser()).names
    if isinstance(given, Mapping):
        return _by_number(given)
    if isinstance(given, (set, frozenset)) or not isinstance(given, Iterable):
        raise Mistake(f"class_names of type {type(given).__name__}: wanted a list of names, in the classes' order")
    return list(given)


def _by_number(names: Mapping[int, str]) -> list[str]:
    """The names in the order of their numbers, which may be text as in JSON."""
    try:
        numbered = {int(number): name for number, name in names.items()}
    except (TypeError, ValueError):
        numbered = {}
    if sorted(numbered) != list(range(len(names))):
        held = ", ".join(map(repr, list(names)[:4]))
        raise Mistake(f"class_names is a dict of {held} ...: wanted the numbers 0 to K - 1, each with its name")
    return [numbered[number] for number in range(len(numbered))]
