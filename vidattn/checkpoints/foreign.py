"""Configurations of other libraries: every key is checked for its type, and unknown keys are refused by name."""

import math
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from vidattn.checkpoints.renaming import WeightsError
from vidattn.checks import is_whole

MOST = 10**6
"""Above it, a number is a mistake, and a network of that size would be built for ever."""


class Foreign:
    """Reads a JSON object key by key; every error names the file, the key, its value and what was wanted.

    Args:
        file: where it stands, for messages.
        values: the object.
        inside: the keys that lead to it in the file, each with a dot behind it.
    """

    def __init__(self, file: Path, values: dict[str, Any], inside: str = "") -> None:
        self.file, self.inside, self._values = file, inside, values
        self._read: set[str] = set()

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def without_nulls(self) -> "Foreign":
        """The same without its keys that are null."""
        return Foreign(self.file, {key: one for key, one in self._values.items() if one is not None}, self.inside)

    def raw(self, key: str) -> Any:
        """The value of any type; None where there is none."""
        self._read.add(key)
        return self._values.get(key)

    def whole(self, key: str, default: int, least: int = 1, most: int = MOST) -> int:
        """A whole number from `least` up to `most`."""
        value = self._value(key, default)
        if not is_whole(value) or not least <= value <= most:
            above = f" and at most {most}" if is_whole(value) and value > most else ""
            raise self.error(key, f"a whole number of at least {least}{above}")
        return value

    def number(self, key: str, default: float) -> float:
        """A finite number above 0."""
        value = self._value(key, default)
        if not _is_number(value) or value <= 0:
            raise self.error(key, "a number above 0")
        return float(value)

    def switch(self, key: str, default: bool) -> bool:
        """true or false."""
        value = self._value(key, default)
        if not isinstance(value, bool):
            raise self.error(key, "true or false")
        return value

    def word(self, key: str, default: str, known: Collection[str]) -> str:
        """One of the words `known`."""
        value = self._value(key, default)
        if not isinstance(value, str) or value not in known:
            raise self.error(key, " or ".join(repr(word) for word in known))
        return value

    def sides(self, key: str, default: int | tuple[int, int]) -> tuple[int, int]:
        """Height and width: one whole number for both, or a pair."""
        value = self._value(key, default)
        pair = [value, value] if is_whole(value) else value
        if (
            not isinstance(pair, list | tuple)
            or len(pair) != 2
            or not all(is_whole(one) and 0 < one <= MOST for one in pair)
        ):
            raise self.error(key, "a whole number above 0, or height and width")
        return pair[0], pair[1]

    def colours(self, key: str, default: tuple[float, float, float]) -> tuple[float, float, float]:
        """A number for each of red, green and blue, or one for all three."""
        value = self._value(key, default)
        triple = [value] * 3 if _is_number(value) else value
        if not isinstance(triple, list | tuple) or len(triple) != 3 or not all(_is_number(one) for one in triple):
            raise self.error(key, "a number for each of red, green and blue")
        return float(triple[0]), float(triple[1]), float(triple[2])

    def part(self, key: str) -> "Foreign":
        """The object under `key`, without its keys that are null; empty where there is none."""
        value = self.raw(key)
        if value is not None and not isinstance(value, dict):
            raise self.error(key, "an object")
        return Foreign(self.file, value or {}, f"{self.inside}{key}.").without_nulls()

    def agree(self, key: str, found: Any) -> None:
        """Raise where the file says something else under `key` than what the weights have.

        Raises:
            WeightsError: it is not.
        """
        if key in self and self.raw(key) != found:
            raise self.error(key, f"{found!r}, as the weights have it")

    def refuse_others(self, harmless: Collection[str]) -> None:
        """Raise unless every key was read, is known not to matter, or is empty.

        Raises:
            WeightsError: one is not known, so that nobody can say what it means for the network.
        """
        for key in self.rest(harmless):
            raise self.error(
                key,
                "only keys that vidattn knows, for others may change the network; take it out of the file if it does "
                "not",
            )

    def rest(self, harmless: Collection[str]) -> dict[str, Any]:
        """Keys that were not read, matter, and are not empty."""
        return {
            key: value
            for key, value in self._values.items()
            if key not in self._read and key not in harmless and not key.startswith("_")
            if value not in (None, "", [], {})
        }

    def error(self, key: str, wanted: str) -> WeightsError:
        """The error that names the value and what was wanted in its place."""
        shown = repr(self._values[key]) if key in self._values else "nothing"
        shown = shown if len(shown) <= 80 else f"{shown[:77]}..."
        return WeightsError(f"{self.file}: {self.inside}{key}={shown}; wanted {wanted}")

    def _value(self, key: str, default: Any) -> Any:
        self._read.add(key)
        return self._values.get(key, default)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
