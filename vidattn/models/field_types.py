"""Whether the values of a configuration are of the types that its fields say."""

from dataclasses import fields
from numbers import Real
from typing import TYPE_CHECKING

from vidattn.checks import is_whole
from vidattn.mistakes import Mistake

if TYPE_CHECKING:
    from vidattn.models.config import VideoTransformerConfig


def check_types(config: "VideoTransformerConfig") -> None:
    """
    Raises:
        Mistake: a value is of another type; the message names it and what was wanted.
    """
    for field in fields(config):
        value = getattr(config, field.name)
        if field.name == "image_size":
            pair = isinstance(value, tuple) and len(value) == 2 and all(is_whole(side) for side in value)
            known, wanted = is_whole(value) or pair, "a whole number, or (height, width)"
        elif field.type is int:
            known, wanted = is_whole(value), "a whole number"
        elif field.type is float:
            known, wanted = isinstance(value, Real) and not isinstance(value, bool), "a number"
        else:
            known, wanted = isinstance(value, field.type), "text" if field.type is str else "True or False"  # type: ignore[arg-type]
        if not known:
            raise Mistake(f"{field.name}={value!r} is of type {type(value).__name__}; wanted {wanted}")
