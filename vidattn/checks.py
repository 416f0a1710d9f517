"""Checks of numbers that a user gives."""

from vidattn.mistakes import Mistake


def check_positive(**numbers: float) -> None:
    """Raise unless all are at least 1.

    >>> check_positive(rounds=3, dim=0)
    Traceback (most recent call last):
    vidattn.mistakes.Mistake: dim=0 must be at least 1
    """
    for name, number in numbers.items():
        if number < 1:
            raise Mistake(f"{name}={number} must be at least 1")
