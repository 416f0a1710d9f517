"""Schemes that are to be held against each other must differ."""

from collections.abc import Sequence

from vidattn.attention.factorised import temporal_depth
from vidattn.attention.scheme import Step, parse_scheme
from vidattn.mistakes import Mistake


def check_distinct(schemes: Sequence[str]) -> None:
    """Raise where two of the schemes have the same steps, under whatever names.

    >>> check_distinct(["joint", "divided", "time + space"])
    Traceback (most recent call last):
    vidattn.mistakes.Mistake: 'time + space' is the scheme 'divided' once more; give each scheme once

    Raises:
        ValueError: two schemes are the same, or one cannot be read.
        TypeError: `schemes` is one string, whose letters would be read as schemes.
    """
    if isinstance(schemes, str):
        raise TypeError(f"schemes={schemes!r} is one string; give a list, such as [{schemes!r}]")
    seen: list[tuple[str | tuple[Step, ...], str]] = []
    for scheme in schemes:
        steps = steps_of(scheme)
        for known, name in seen:
            if steps == known:
                raise Mistake(f"{scheme!r} is the scheme {name!r} once more; give each scheme once")
        seen.append((steps, scheme))


def steps_of(scheme: str) -> str | tuple[Step, ...]:
    """What two spellings of one scheme have in common.

    >>> steps_of("divided") == steps_of("time + space"), steps_of("divided") == steps_of("joint")
    (True, False)

    Raises:
        ValueError: the scheme cannot be read.
    """
    return parse_scheme(scheme) if temporal_depth(scheme) is None else scheme.replace(" ", "")
