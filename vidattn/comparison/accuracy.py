"""Accuracies that a file gives, to be drawn against what the schemes cost."""

import csv
from collections.abc import Sequence

from vidattn.attention.scheme import Scheme, parse_scheme
from vidattn.mistakes import Mistake

Accuracies = dict[str, dict[str, tuple[float, float]]]
"""Set -> scheme -> accuracy and half its interval."""


def read_accuracy(path: str) -> Accuracies:
    """Set -> scheme -> accuracy and half its interval (0 where the file gives none).

    Raises:
        ValueError: the columns `attention` and `top1` are missing, a line is short, a scheme has two lines, an accuracy
            is not within 0 and 1.
    """
    found: Accuracies = {}
    with open(path, newline="", encoding="utf-8-sig") as file:  # a mark, from spreadsheets
        reader = csv.DictReader(file)
        if not {"attention", "top1"} <= set(reader.fieldnames or ()):
            raise Mistake(f"{path} must have the columns attention and top1 (and may have set and half_interval)")
        for line in reader:
            where = f"{path}, line {reader.line_num}"
            if None in line.values():
                raise Mistake(f"{where} is shorter than the first line, which names the columns")
            try:
                top1, spread = float(line["top1"]), float(line.get("half_interval") or 0)
            except ValueError as error:
                raise Mistake(f"{where}: {error}; write 0.78 for 78%") from error
            if not 0 <= top1 <= 1:
                raise Mistake(f"{where}: top1={top1} of {line['attention']} is not a share; write 0.78 for 78%")
            interval = 0 if spread != spread else spread
            title = line.get("set") or "accuracy"
            if line["attention"] in found.setdefault(title, {}):
                raise Mistake(
                    f"{where}: {line['attention']} of {title} stands there twice; give a line for each, its mean"
                )
            found[title][line["attention"]] = (top1, interval)
    if not found:
        raise Mistake(f"{path} has no line below its columns")
    return found


def of_schemes(given: Accuracies, schemes: Sequence[str]) -> tuple[Accuracies, list[str]]:
    """The accuracies of these schemes by their names here, and notes on schemes that are missing or unknown.

    >>> of_schemes({"motion": {"divided": (0.9, 0), "axial": (0.5, 0)}}, ["joint", "time+space"])
    ({'motion': {'time+space': (0.9, 0)}}, ['motion: nothing about joint', 'motion: axial is not compared'])

    Raises:
        ValueError: a set has none of them, or one twice.
    """
    names: dict[str | Scheme, str] = {parse_scheme(scheme): scheme for scheme in schemes}
    found: Accuracies = {}
    gaps: list[str] = []
    for title, known in given.items():
        mine = found.setdefault(title, {})
        others = []
        for scheme, values in known.items():
            name = names.get(_scheme_or_name(scheme))
            if name is None:
                others.append(scheme)
            elif name in mine:
                raise Mistake(f"{title}: {scheme!r} is the scheme {name!r} once more; give a line for each")
            else:
                mine[name] = values
        if not mine:
            raise Mistake(f"{title}: no accuracy is of a scheme that is compared ({', '.join(schemes)})")
        if absent := [scheme for scheme in schemes if scheme not in mine]:
            gaps.append(f"{title}: nothing about {', '.join(absent)}")
        if others:
            gaps.append(f"{title}: {', '.join(others)} {'is' if len(others) == 1 else 'are'} not compared")
    return found, gaps


def _scheme_or_name(scheme: str) -> str | Scheme:
    try:
        return parse_scheme(scheme)
    except ValueError:  # a name of somebody else's
        return scheme
