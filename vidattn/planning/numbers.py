"""Numbers as people write them: 240k, 1.5M."""

import argparse
import math
import re

UNITS = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}


def number(text: str) -> float:
    """A number of a command line, more than 0, with k, M or G behind it or not.

    >>> number("240k"), number("1.5M"), number("0.35")
    (240000.0, 1500000.0, 0.35)

    Raises:
        argparse.ArgumentTypeError: it is none, or not more than 0.
    """
    value = _value(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0; write it as 240000, 240k or 1.5M")
    return value


def whole(text: str) -> int:
    """A whole number of a command line, at least 1, with k, M or G behind it or not.

    >>> whole("240k"), whole("1.5M"), whole("64")
    (240000, 1500000, 64)

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    value = _value(text)
    if not 1 <= value < math.inf or value % 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least 1; write it as 240000, 240k or 1.5M")
    return int(value)


def share(text: str) -> float:
    """A number above 0 and at most 1.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    value = _value(text)
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no share; write a number above 0 and at most 1, such as 0.35")
    return value


def _value(text: str) -> float:
    """What a text says, 0 where that is no number."""
    found = re.fullmatch(r"(\d+\.?\d*(?:e[+-]?\d+)?|\.\d+)([kKmMgG]?)", text)
    return float(found[1]) * UNITS[{"K": "k", "m": "M", "g": "G"}.get(found[2], found[2])] if found else 0.0


def short(value: float) -> str:
    """A number to read, of three digits or, from a thousand on, with its commas.

    >>> short(0.01234), short(3.14159), short(1234567.8)
    ('0.0123', '3.14', '1,234,568')
    """
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def duration(seconds: float) -> str:
    """Seconds in the unit that one would say.

    >>> duration(0.0153), duration(42), duration(600), duration(9000), duration(1e6)
    ('15.3 ms', '42 s', '10 min', '2.5 h', '11.6 days')
    """
    steps = ((1.0, 1e-3, "ms"), (120.0, 1.0, "s"), (7200.0, 60.0, "min"), (172800.0, 3600.0, "h"))
    for limit, unit, name in steps:
        if seconds < limit:
            return f"{short(seconds / unit)} {name}"
    return f"{short(seconds / 86400)} days"
