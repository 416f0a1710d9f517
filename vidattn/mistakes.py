"""Errors that say what the user has to change. A command ends at one in a line; all others keep their traceback."""


class Mistake(ValueError):
    """Something that was given cannot be: the message names it, what was wanted, and the next move.

    Raised on purpose, by whoever looks at what a user gives; never for what only the program itself can get wrong.
    """


class NotFiniteError(Mistake, FloatingPointError):
    """A training has come to infinity or to no number."""


class MissingLibraryError(Mistake, ImportError):
    """A library that is asked for does not load; the message says how to install it, or what to use instead."""
