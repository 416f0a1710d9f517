"""Cells of a multi-label list that hold several labels in another form than the one that parts them: refused."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from vidattn.data.lists.class_names import is_number, spelling
from vidattn.data.lists.row import bad_rows

SEVERAL = "several labels as cat;dog or 1;3 (with ;, or |, or commas between: one sign for the whole list)"

_SIGNS = re.compile(r"\s*[;|,+&/]\s*")
_WORDS = re.compile(r"\s+(?:and|or)\s+|\s*-\s*|\s+")  # stand in many names, too
_NUMBERS = re.compile(r"\d+(?:\s*[+&/_:-]\s*\d+)+")


def check_joined_numbers(source: Path, cells: Iterable[tuple[str, str]]) -> None:
    """No cell may hold numbers with a sign between that is none of ours, where others hold numbers alone.

    Args:
        cells: where each stands, and what is written there.

    Raises:
        ManifestError: some do.
    """
    cells = list(cells)
    if not any(is_number(cell) for _, cell in cells):
        return
    if odd := [where for where, cell in cells if _NUMBERS.fullmatch(cell)]:
        raise bad_rows(source, odd, SEVERAL)


def check_one_hot(source: Path, cells: Iterable[tuple[str, str]]) -> None:
    """A row of 0 and 1 for each class is no row of labels.

    Args:
        cells: see `check_joined_numbers`.

    Raises:
        ManifestError: all cells hold as many zeros and ones, some of them more than once.
    """
    cells = list(cells)
    rows = [re.findall(r"\w+", cell) for _, cell in cells]
    alike = {len(row) for row in rows if row}
    if len(alike) == 1 and all({*row} <= {"0", "1"} for row in rows) and any(len({*row}) < len(row) for row in rows):
        expected = f"{SEVERAL}. A 0 or 1 for each class is not read: write the numbers of those that have a 1"
        raise bad_rows(source, [where for where, _ in cells], expected)


def check_joined_names(source: Path, rows: Sequence[tuple[str, tuple[str, ...]]], known: Collection[str] = ()) -> None:
    """No label may be put together of others.

    With one of `;|,+&/` between, all of its parts stand alone or in other such labels. Where no row has several labels,
    also with a space, a hyphen, `and` or `or` between, which stand in many names: there, all parts stand alone.

    Args:
        rows: where each stands, and its labels.
        known: names of classes, which may be put together.

    Raises:
        ManifestError: some are.
    """
    labels = {label for _, labels in rows for label in labels}
    alone = {spelling(label) for label in labels}
    signs = {label: [spelling(part) for part in _SIGNS.split(label)] for label in labels - {*known}}
    times = Counter(part for parts in signs.values() if len(parts) > 1 for part in set(parts))
    none_parted = all(len(found) < 2 for _, found in rows)
    suspects = set()
    for label, parts in signs.items():
        words = [spelling(part) for part in _WORDS.split(label)]
        by_sign = len(parts) > 1 and all(part in alone or times[part] > 1 for part in parts)
        if by_sign or (none_parted and len(words) > 1 and all(word in alone for word in words)):
            suspects.add(label)
    if suspects:
        odd = [where for where, found in rows if not suspects.isdisjoint(found)]
        raise bad_rows(source, odd, f"{SEVERAL}; if these are names of one class, give all names in data.class_names")
