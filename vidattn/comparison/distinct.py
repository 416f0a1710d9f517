"""A check that the schemes of a comparison differ."""

from collections.abc import Sequence

from vidattn.attention.scheme import Scheme, parse_scheme
from vidattn.mistakes import Mistake
from vidattn.models.presets import PRESETS


def check_distinct(schemes: Sequence[str]) -> None:
    """Raise where two of the schemes have the same steps, under whatever names, or a preset is there twice.

    >>> check_distinct(["joint", "divided", "time + space"])
    Traceback (most recent call last):
    vidattn.mistakes.Mistake: 'time + space' is the scheme 'divided' once more; give each scheme once

    Raises:
        ValueError: two schemes are the same, or one cannot be read.
        TypeError: `schemes` is one string, whose letters would be read as schemes.
    """
    if isinstance(schemes, str):
        raise TypeError(f"schemes={schemes!r} is one string; give a list, such as [{schemes!r}]")
    seen: list[Scheme] = []
    for place, spec in enumerate(schemes):
        if spec in PRESETS:
            if spec in schemes[:place]:
                raise Mistake(f"the preset {spec!r} is there twice; give it once")
            continue
        scheme = parse_scheme(spec)
        for known in seen:
            if scheme == known:
                raise Mistake(f"{spec!r} is the scheme {known.spec!r} once more; give each scheme once")
        seen.append(scheme)
