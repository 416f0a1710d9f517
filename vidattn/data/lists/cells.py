"""What the cell for a video's labels says: nothing, one label, or several."""

import csv
import re
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

from vidattn.data.lists.class_names import is_number, spelling
from vidattn.data.lists.joined import check_joined_names, check_joined_numbers, check_one_hot
from vidattn.data.lists.row import bad_rows

BETWEEN = ";|,"
"""What stands between several names in a cell, the first that a list has."""

_NUMBERS = re.compile(r"\d+(?:\s*[\s,;|]\s*\d+)+")
_BRACKETS = re.compile(r"[\[{](?P<square>.*)[\]}]|\((?P<round>[\d\s,]*)\)")
_ODD_NUMBER = re.compile(r"[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?|nan", re.IGNORECASE)

Cell = tuple[str, str]
"""Where it stands, for messages, and what is written there."""


def labels_of(
    source: Path, cells: Sequence[Cell], multi_label: bool, known: Collection[str] = ()
) -> list[tuple[str, ...]]:
    """The labels of each cell: names or numbers, as written.

    Numbers with spaces, commas, `;` or `|` between are several labels, and so is a list in brackets. Names are several
    where the list is said to be a multi-label one: with `;` between, or, where no cell has that, `|`, or else commas.

    Args:
        multi_label: whether the list is said to be a multi-label one.
        known: names of classes, which may hold what else would part them.

    Raises:
        ManifestError: a cell seems to hold several names, or something that is no label; or several numbers, which may
            be of another kind than labels.
    """
    each = {cell: _certain(cell, multi_label) for cell in {cell for _, cell in cells}}  # most stand in many rows
    found = [each[cell] for _, cell in cells]
    _check_same_count(source, cells, found, multi_label)
    if multi_label:
        check_joined_numbers(source, cells)
        check_one_hot(source, cells)
    names = [cell for (_, cell), labels in zip(cells, found, strict=True) if labels is None and cell not in known]
    if multi_label:
        between = next((sign for sign in BETWEEN if any(sign in name for name in names)), None)
        parted = {name: _parts(name, between) for name in set(names)} if between else {}
    else:
        parted = {}
        _check_one(source, cells, set(names))
    labels = [
        parts if parts is not None else parted.get(cell, (cell,)) for (_, cell), parts in zip(cells, found, strict=True)
    ]
    if multi_label:
        rows = [(where, parts) for (where, _), parts in zip(cells, labels, strict=True)]
        check_joined_names(source, rows, known)
    strange = {part for parts in set(labels) for part in parts if _is_odd(part) and part not in known}
    odd = [where for (where, _), parts in zip(cells, labels, strict=True) if not strange.isdisjoint(parts)]
    if odd:
        raise bad_rows(source, odd, "a name or a whole number from 0 as label (and nothing there for a video without)")
    return labels


def _certain(cell: str, multi_label: bool = False) -> tuple[str, ...] | None:
    """Labels of a cell that can be read by itself: none, numbers, or what stands in brackets; else None.

    >>> _certain("3 17"), _certain("[1, 3]"), _certain("['cat', 'dog']"), _certain(""), _certain("cat;dog")
    (('3', '17'), ('1', '3'), ('cat', 'dog'), (), None)
    """
    if not cell:
        return ()
    inner = cell
    if match := _BRACKETS.fullmatch(cell):
        inner = (match["square"] if match["square"] is not None else match["round"]).strip()
        if not inner:
            return ()
        if (
            not is_number(inner)
            and not _NUMBERS.fullmatch(inner)
            and match["square"] is not None
            and (multi_label or "," in inner)
        ):
            return _parts(inner, ",")
    if is_number(inner):
        return (inner,)
    if _NUMBERS.fullmatch(inner):
        return tuple(dict.fromkeys(re.findall(r"\d+", inner)))
    return None


def _parts(cell: str, between: str) -> tuple[str, ...]:
    """What stands between the signs, each once; a part in quotes may hold one.

    >>> _parts("cat; dog ;cat", ";")
    ('cat', 'dog')
    """
    cells = next(csv.reader([cell], delimiter=between, skipinitialspace=True), [])
    bare = [part.strip() for part in cells]
    bare = [part[1:-1] if len(part) > 1 and part[0] == part[-1] == "'" else part for part in bare]
    return tuple(dict.fromkeys(part for part in bare if part))


def _check_same_count(
    source: Path, cells: Sequence[Cell], found: Sequence[tuple[str, ...] | None], multi_label: bool
) -> None:
    """Labels of several classes are now more, now fewer. As many numbers in each row may be columns."""
    counts = {len(labels or ()) for labels in found}
    plain = all(not cell.startswith(("[", "(")) for _, cell in cells)
    if not multi_label and plain and len(counts) == 1 and min(counts) > 1 and all(map(is_number, (found[0] or ()))):
        count = min(counts)
        raise bad_rows(
            source,
            [where for where, _ in cells],
            f"one label in each row. All have {count} numbers: if those are labels, set data.multi_label to true; if "
            "one is something else, take it away, or name the columns in a first row such as path,label,start,end",
        )


def _check_one(source: Path, cells: Sequence[Cell], names: Collection[str]) -> None:
    """No name may be put together of others.

    With `;` or `|` between, one of its parts is a label of its own, or all of them stand in other cells, too. Commas
    are common in names: only the latter counts.
    """
    whole = {spelling(name) for name in names}
    suspects: set[str] = set()
    for sign in BETWEEN:
        parts = {name: [spelling(part) for part in name.split(sign)] for name in names if sign in name}
        times = Counter(part for found in parts.values() for part in set(found))
        for name, found in parts.items():
            alone = sum(part in whole for part in found)
            again = sum(part in whole or times[part] > 1 for part in found)
            if again == len(found) or (alone and sign != ","):
                suspects.add(name)
    if suspects:
        raise bad_rows(
            source,
            [where for where, cell in cells if cell in suspects],
            "one label in each row, but these seem to hold several: set data.multi_label to true if they do (names "
            "with ; between), or give the whole names in data.class_names",
        )


def _is_odd(cell: str) -> bool:
    """
    >>> _is_odd("-1"), _is_odd("3.0"), _is_odd("nan"), _is_odd("3"), _is_odd("3d")
    (True, True, True, False, False)
    """
    return not is_number(cell) and _ODD_NUMBER.fullmatch(cell) is not None


def one_kind(source: Path, rows: Sequence[tuple[str, tuple[str, ...]]]) -> bool:
    """Whether the labels of a list are numbers; False where they are names (or none).

    Args:
        rows: where each stands, and its labels.

    Raises:
        ManifestError: some are numbers and some names; the fewer are shown.
    """
    numbered = [where for where, labels in rows if any(map(is_number, labels))]
    named = [where for where, labels in rows if not all(map(is_number, labels))]
    if not numbered or not named:
        return bool(numbered)
    if len(numbered) < len(named):
        raise bad_rows(
            source,
            numbered,
            "a name as in the other rows (a class that is called by a number needs the names of all classes in "
            "data.class_names)",
        )
    raise bad_rows(source, named, "a class number (0, 1, ...) as in other rows")
