"""Files with the names of classes: read in every usual form, and written so that they read back the same."""

import csv
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from vidattn.data.lists.class_names import is_number, twins
from vidattn.data.lists.row import ManifestError, bad_rows, parse_json
from vidattn.data.lists.text import check_readable, read_text

_NUMBER_WORDS = {"id", "ids", "index", "idx", "no", "nr", "number", "num", "class_id", "label_id", "class_index"}
_NUMBER_WORDS |= {"class_idx", "label_idx", "label_index", "class_number", "#", "action_id", "category_id"}
_NAME_WORDS = {"name", "names", "class", "classes", "class_name", "class_names", "classname", "label", "labels"}
_NAME_WORDS |= {"label_name", "label_names", "category", "categories", "category_name", "action", "action_name"}
_SEPARATORS = ",\t;:"
_FORMS = "one name a line, `number,name` lines, or JSON {name: number}"


class ClassFile(NamedTuple):
    """What such a file says.

    Args:
        names: in the order of their numbers.
        first: the number of the first one: 0, or 1 where the file counts from there.
    """

    names: list[str]
    first: int = 0


def read_class_file(path: Path) -> ClassFile:
    """Names in the order of their numbers, which run from 0 or from 1 without holes.

    One name a line; a number and a name on each line, in any order, with a comma, semicolon, tab or spaces between,
    with or without a header (UCF101's `classInd.txt` is one); JSON `{name: number}`, `{number: name}` or a list of
    names; Diving48's vocabulary.

    Raises:
        ManifestError: the file is missing, empty, not in UTF-8, or not what it looks like.
    """
    if not path.is_file():
        raise ManifestError(f"class_names={path} is not a file; give a file with one class name a line, or a list")
    text = read_text(path)
    for number, line in enumerate(text.split("\n"), start=1):
        check_readable(path, f"line {number}", line)
    start = text.lstrip()
    found = _json(path, text) if start.startswith(("{", "[")) else _lines(path, text)
    if not found.names:
        raise ManifestError(f"{path} names no class; expected {_FORMS}")
    if repeated := next((name for name in found.names if found.names.count(name) > 1), None):
        raise ManifestError(f"{path}: class_names holds {repeated!r} twice; each class has one label, give it once")
    if pair := twins(found.names):
        raise ManifestError(f"{path}: {pair[0]!r} and {pair[1]!r} are two spellings of one name; keep one of them")
    return found


def write_class_file(path: Path, names: Sequence[str]) -> None:
    """One name a line; JSON with their numbers where one of them would be taken for something else."""
    path.write_text("".join(f"{name}\n" for name in names), encoding="utf-8", errors="surrogateescape", newline="")
    try:
        same = read_class_file(path).names == list(names)
    except ManifestError:
        same = False
    if not same:
        path.write_text(json.dumps({name: number for number, name in enumerate(names)}, indent=0) + "\n")


def _json(path: Path, text: str) -> ClassFile:
    found = parse_json(path, text)
    if isinstance(found, list):
        names = [" ".join(map(str, entry)) if isinstance(entry, list) else entry for entry in found]
        if strange := [name for name in names if not isinstance(name, str)]:
            raise ManifestError(f"{path}: {strange[0]!r} is no name; expected JSON {{name: number, ...}}")
        return ClassFile(_bare(names))
    try:
        by_number = all(is_number(key) for key in found) and any(not is_number(str(found[key])) for key in found)
        pairs = [(int(key), str(name)) if by_number else (int(name), key) for key, name in found.items()]
    except (TypeError, ValueError) as error:
        raise ManifestError(f"{path}: {error}; expected JSON {{name: number, ...}}") from error
    bare = _bare([name for _, name in pairs])
    return _in_order(path, [(number, name, repr(name)) for (number, _), name in zip(pairs, bare, strict=True)])


def _lines(path: Path, text: str) -> ClassFile:
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    if lines and (header := _is_header(lines[0])):
        place = 0 if header[0] in _NUMBER_WORDS else 1
        if len(header) == 2 and any(_split(line, place, spaces=True) for line in lines[1:]):
            return _numbered(path, lines[1:], place)
        raise ManifestError(
            f"{path} begins with {lines[0]!r}, which looks like the header of a table; take that line away (if a class "
            f"is called so, write JSON {{name: number, ...}}), or write {_FORMS}"
        )
    split = [(_split(line, 0), _split(line, 1)) for line in lines]
    tables = [sum(pair is not None for pair in column) for column in zip(*split, strict=True)]
    if lines and 2 * max(tables) >= len(lines):
        return _numbered(path, lines, 0 if tables[0] >= tables[1] else 1)
    by_spaces = [line.split(maxsplit=1) for line in lines]  # as in UCF101's
    if all(len(pair) == 2 and is_number(pair[0]) for pair in by_spaces):
        found = [(int(number), name, number) for number, name in by_spaces]
        if _counts(found) and len({name for _, name in by_spaces}) == len(lines):  # else names such as "3 men run"
            return _in_order(path, found)
    return ClassFile([_unquoted(line) for line in lines])


def _numbered(path: Path, lines: Sequence[str], place: int) -> ClassFile:
    """A table of numbers, which stand first (`place` 0) or last (1), and names."""
    found, bad = [], []
    for line in lines:
        pair = _split(line, place, spaces=True)
        if pair is None:
            bad.append(repr(line))
        else:
            found.append((pair[0], pair[1], repr(line)))
    if bad:
        raise bad_rows(path, bad, "a number and a name on each line, as on the others")
    return _in_order(path, found)


def _split(line: str, place: int, spaces: bool = False) -> tuple[int, str] | None:
    """The number that stands first (`place` 0) or last (1) in a line, and the name; None where there is none.

    >>> _split('3,"run, fast"', 0), _split("run, fast,3", 1), _split("3 men run", 0)
    ((3, 'run, fast'), (3, 'run, fast'), None)
    """
    for separator in _SEPARATORS + (" " if spaces else ""):
        if separator not in line:
            continue
        number, _, name = line.partition(separator)
        if place:
            name, _, number = line.rpartition(separator)
        if is_number(number.strip()) and name.strip():
            return int(number), _unquoted(name.strip())
    return None


def _is_header(line: str) -> list[str]:
    """The words of a header, in lower case; none where the line is something else.

    >>> _is_header("id,Name"), _is_header("class_name"), _is_header("ride a bike")
    (['id', 'name'], ['class_name'], [])
    """
    words = [word for word in re.split(r"[,;\s]+", line.strip().casefold()) if word]
    return words if words and all(word.strip('"') in _NUMBER_WORDS | _NAME_WORDS for word in words) else []


def _unquoted(line: str) -> str:
    """A name in quotes, as tables write it."""
    cells = next(csv.reader([line]), [line]) if line[:1] == '"' and line[-1:] == '"' else [line]
    return cells[0] if len(cells) == 1 else line


def _counts(found: Sequence[tuple[int, str, str]]) -> bool:
    numbers = sorted(number for number, _, _ in found)
    return numbers in (list(range(len(found))), list(range(1, len(found) + 1)))


def _in_order(path: Path, found: Sequence[tuple[int, str, str]]) -> ClassFile:
    """The names by their numbers, each with where it stands."""
    if not found:
        return ClassFile([])
    first = 1 if min(number for number, _, _ in found) == 1 else 0
    if not _counts(found):
        numbers = {number for number, _, _ in found}
        holes = [str(number) for number in range(first, first + len(found)) if number not in numbers]
        beyond = [where for number, _, where in found if not first <= number < first + len(found)]
        what = f"{', '.join(holes[:5])} {'is' if len(holes) == 1 else 'are'} missing" if holes else "one stands twice"
        raise bad_rows(path, beyond or [found[0][2]], f"the numbers 0 to K - 1 (or 1 to K), each once; {what}")
    return ClassFile([name for _, name, _ in sorted(found)], first)


def _bare(names: Sequence[str]) -> list[str]:
    """Without the quotes that some published files have within JSON's own."""
    quoted = all(len(name) > 2 and name[0] == name[-1] == '"' for name in names)
    return [name[1:-1] for name in names] if quoted else list(names)
