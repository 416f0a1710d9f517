"""Frozen parts as plain values, as a checkpoint holds them, and back."""

from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

from vidattn.attention.imported import imported
from vidattn.mistakes import Mistake
from vidattn.public import public_path

Part = TypeVar("Part")


def plain(part: Any) -> Any:
    """A dataclass as its class's path and its fields, also within others; everything else as it is.

    >>> from vidattn.models.actions import OneAction
    >>> plain(OneAction())
    {'class_path': 'vidattn.models.OneAction', 'init_args': {'no_object': 0.1}}
    """
    if not is_dataclass(part):
        return part
    values = {field.name: plain(getattr(part, field.name)) for field in fields(part)}
    return {"class_path": public_path(type(part)), "init_args": values}


def part_of(kind: type[Part], stored: Any, name: str) -> Part:
    """The part that `plain` has written.

    Args:
        kind: what it must be.
        stored: the plain values.
        name: what a message calls it.

    Raises:
        ValueError: it is another, or its values cannot be.
    """
    part = _made(stored, name)
    if not isinstance(part, kind):
        raise Mistake(f"{name} is a {type(part).__name__}; wanted a {kind.__name__}")
    return part


def _made(stored: Any, name: str) -> Any:
    if not (isinstance(stored, dict) and "class_path" in stored):
        return stored
    made = imported(str(stored["class_path"]), name)
    if not (isinstance(made, type) and is_dataclass(made)):
        raise Mistake(f"{name}: {stored['class_path']!r} is no part of ours: wanted a dataclass")
    values = {key: _made(value, f"{name}.{key}") for key, value in stored.get("init_args", {}).items()}
    try:
        return made(**values)
    except TypeError as error:
        raise Mistake(f"{name}: {error}") from None
