"""How a room hands on its public names: each is imported when it is first asked for.

So commands start in a blink, and `vidattn doctor` also runs where torch does not load.
"""

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def hand_on(
    room: str, homes: Mapping[str, Sequence[str]]
) -> tuple[list[str], Callable[[str], Any], Callable[[], list[str]]]:
    """`__all__`, `__getattr__` and `__dir__` of a package.

    Args:
        room: the package's name.
        homes: module -> the public names that it defines. None of them may be the name of a module or folder in the
            room: Python would hand out the one or the other, depending on what was imported before.
    """
    home_of = {name: home for home, names in homes.items() for name in names}
    names = sorted(home_of)

    def find(name: str) -> Any:
        if name not in home_of:
            raise AttributeError(f"module {room!r} has no attribute {name!r}; public names: {', '.join(names)}")
        value = getattr(importlib.import_module(home_of[name]), name)
        setattr(sys.modules[room], name, value)
        return value

    def listed() -> list[str]:
        return sorted({*vars(sys.modules[room]), *names})

    return names, find, listed


def public_path(cls: type) -> str:
    """The shortest path that a class can be imported by: the room's that hands it on, where one does.

    >>> from vidattn.data.clips.sampling import StrideSampling
    >>> public_path(StrideSampling)
    'vidattn.data.StrideSampling'
    """
    parts = cls.__module__.split(".")
    for end in range(1, len(parts)):
        room = ".".join(parts[:end])
        if getattr(importlib.import_module(room), cls.__qualname__, None) is cls:
            return f"{room}.{cls.__qualname__}"
    return f"{cls.__module__}.{cls.__qualname__}"
