"""Words that messages and tables share."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


def counted(count: int, one: str, several: str | None = None) -> str:
    """A number with its noun.

    >>> counted(1, "class", "classes"), counted(3, "video"), counted(0, "video")
    ('1 class', '3 videos', '0 videos')

    Args:
        several: the plural; `one` with an s by default.
    """
    return f"{count} {one if count == 1 else several or f'{one}s'}"


def in_words(things: Sequence[str]) -> str:
    """Things one after another.

    >>> in_words(["a"]), in_words(["a", "b"]), in_words(["a", "b", "c"])
    ('a', 'a and b', 'a, b and c')
    """
    return " and ".join([", ".join(things[:-1]), things[-1]] if things[1:] else things)


def printable(text: str) -> str:
    r"""The text with escapes for what UTF-8 cannot hold: bytes in the name of a file that are no UTF-8.

    >>> printable("bad\udcff.mp4")
    'bad\\udcff.mp4'
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """What to say of an unknown word, behind a semicolon.

    >>> did_you_mean("classfy", ["check", "classify"]), did_you_mean("xyz", ["check", "classify"])
    ("; did you mean 'classify'?", '')

    Args:
        word: what was written; small and capital letters are the same.
        known: what there is.
        otherwise: what to say where nothing of that is like it.
    """
    near = nearest_word(word, known)
    return otherwise if near is None else f"; did you mean {near!r}?"


def nearest_word(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known word that is most like `word`, small and capital letters being the same; None where none is.

    Args:
        cutoff: how like it must be, from 0 to 1 (`difflib`'s ratio).
    """
    names = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), names, n=1, cutoff=cutoff)
    return names[near[0]] if near else None
