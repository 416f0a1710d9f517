"""The one rule for labels and the names of classes, from which every list and every file of names is read.

- A cell of digits alone is a number; every other cell is a name. A list holds one of the two.
- Numbers count from 0 through the names of their own list: those that are given for it, else those that lie beside it.
  Without any, a class is called by its number. Where a class is called by a number, numbers are names.
- Two names mean one class where they differ in nothing but outer and doubled spaces, `_` for a space, and how Unicode
  composes a letter. Another case, a hyphen, a space less is another name: it is refused, and the near one is shown.

The page for users is notebooks/data.md.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from vidattn.wording import nearest_word

_NAMED_BY_NUMBER = re.compile(r"(?:LABEL_|class )?(?P<number>\d+)")


def is_number(cell: str) -> bool:
    """
    >>> is_number("12"), is_number("12 angry men"), is_number("-1"), is_number("")
    (True, False, False, False)
    """
    return cell.isdecimal()


def spelling(name: str) -> str:
    """A name as it is compared.

    >>> spelling(" jump__rope ") == spelling("jump rope"), spelling("cafe\\u0301") == spelling("caf\\u00e9")
    (True, True)
    """
    return " ".join(unicodedata.normalize("NFC", name).replace("_", " ").split())


def sound(name: str) -> str:
    """The letters and digits of a name in lower case: names that share them are likely the same one, misspelt.

    >>> sound("Hand-Stand Pushups") == sound("HandstandPushups")
    True
    """
    return "".join(letter for letter in spelling(name).casefold() if letter.isalnum()) or name


def numbers_alone(names: Sequence[str]) -> bool:
    """Whether the names are only the numbers of the classes.

    >>> numbers_alone(["0", "1"]), numbers_alone(["LABEL_0", "LABEL_1"]), numbers_alone(["2021", "dance"])
    (True, True, False)
    """
    found = [_NAMED_BY_NUMBER.fullmatch(name) for name in names]
    return all(match and int(match["number"]) == place for place, match in enumerate(found))


def twins(names: Iterable[str]) -> tuple[str, str] | None:
    """Two different texts that mean one class; None where there are none."""
    first: dict[str, str] = {}
    for name in names:
        other = first.setdefault(spelling(name), name)
        if other != name:
            return other, name
    return None


class ClassNames:
    """Finds the class that a label means.

    Args:
        names: in the order of the classes' numbers.
        numbered: whether numbers are labels as well; never where a class is called by a number.
    """

    def __init__(self, names: Sequence[str], numbered: bool = True) -> None:
        self.names = names
        self.numbered = numbered and not any(is_number(name) for name in names)
        self._places = {spelling(name): place for place, name in enumerate(names)}
        self._places |= {name: place for place, name in enumerate(names)}

    def find(self, label: str) -> int | None:
        """The number of the class; None where the label is unknown."""
        place = self._places.get(label, self._places.get(spelling(label)))
        if place is None and is_number(label):
            if self.numbered and int(label) < len(self.names):
                return int(label)
            return self._places.get(str(int(label)))  # 07 where classes are called by their numbers
        return place

    def near(self, label: str) -> str | None:
        """The name that an unknown label is most likely meant for."""
        alike = [name for name in self.names if sound(name) == sound(label)]
        return alike[0] if alike else nearest_word(label, self.names, cutoff=0.5)

    def hint(self, label: str) -> str:
        """What to say of an unknown label, behind a semicolon.

        >>> ClassNames(["HandstandPushups", "jump rope"]).hint("HandStandPushups")
        "did you mean 'HandstandPushups'?"
        """
        if is_number(label) and not self.numbered and not numbers_alone(self.names):
            called = next(name for name in self.names if is_number(name))
            return f"one is called {called!r}, so that numbers are names here"
        if near := self.near(label):
            return f"did you mean {near!r}?"
        return f"known are {', '.join(self.names[:5])}{', ...' if len(self.names) > 5 else ''}"
