"""What an import path names, where a name of ours could stand."""

import importlib
from collections.abc import Mapping
from typing import Any, TypeVar

from vidattn.mistakes import Mistake

Part = TypeVar("Part")


def imported(path: str, what: str) -> Any:
    """The class or function at `path`, such as `my_package.MyAttention`.

    Args:
        path: its module and name.
        what: what asks for it, as an error begins.

    Raises:
        ValueError: it cannot be imported.
    """
    module, _, name = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        hint = "; install it, or name its folder in PYTHONPATH" if isinstance(error, ImportError) else ""
        raise Mistake(f"{what}: cannot import {path!r} ({error}){hint}") from error


def named(name: str, table: Mapping[str, Part], field: str) -> Part | Any:
    """What `table` has under `name`; or, of a name with a dot, what that path imports.

    Args:
        name: what a configuration says.
        table: the names that are ours.
        field: of the configuration, for an error.

    Raises:
        ValueError: it is neither.
    """
    if name in table:
        return table[name]
    if "." in name:
        return imported(name, f"{field}={name!r}")
    raise Mistake(f"{field}={name!r} is unknown; choose one of {', '.join(table)}, or an import path")
