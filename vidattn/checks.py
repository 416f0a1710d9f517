"""Checks of numbers that a user gives; the message names the argument."""

from numbers import Integral

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


def check_above_zero(**numbers: float) -> None:
    """Raise unless all are more than 0.

    >>> check_above_zero(fps=29.97, seconds=0.0)
    Traceback (most recent call last):
    vidattn.mistakes.Mistake: seconds=0.0 must be more than 0
    """
    for name, number in numbers.items():
        if not number > 0:
            raise Mistake(f"{name}={number} must be more than 0")


def check_odd(**sizes: int) -> None:
    """Raise unless all are odd and at least 1, so that a window of that size has a middle.

    >>> check_odd(kernel_size=4)
    Traceback (most recent call last):
    vidattn.mistakes.Mistake: kernel_size=4 must be odd, such as 5
    """
    for name, size in sizes.items():
        if size < 1 or size % 2 == 0:
            raise Mistake(f"{name}={size} must be odd, such as {max(size, 0) + 1}")


def check_rate(**rates: float) -> None:
    """Raise unless all are probabilities below 1, as those of dropout.

    >>> check_rate(drop_path=1.0)
    Traceback (most recent call last):
    vidattn.mistakes.Mistake: drop_path=1.0 is not a probability below 1
    """
    for name, rate in rates.items():
        if not 0 <= rate < 1:
            raise Mistake(f"{name}={rate} is not a probability below 1")


def is_whole(value: object) -> bool:
    """Whether it is a whole number, and not True or False.

    >>> is_whole(3), is_whole(3.0), is_whole(True)
    (True, False, False)
    """
    return isinstance(value, Integral) and not isinstance(value, bool)
