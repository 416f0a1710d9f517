"""How a video becomes a network's input: made by the data, kept in checkpoints, used by whoever answers with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from vidattn.mistakes import Mistake

Three = tuple[float, float, float]
"""A number for each of red, green and blue."""


@dataclass(frozen=True)
class SamplingRule:
    """The rule that picks a clip's frames, by name: a file says which it was, and imports nothing.

    >>> print(SamplingRule("vidattn.data.StrideSampling", {"num_frames": 8, "frame_stride": 32}))
    StrideSampling(num_frames=8, frame_stride=32)

    Args:
        class_path: import path of the rule's class.
        init_args: its arguments, by name, in plain types.
    """

    class_path: str
    init_args: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.init_args.items())
        ours = self.class_path.startswith("vidattn.")
        return f"{self.class_path.rpartition('.')[2] if ours else self.class_path}({arguments})"


@dataclass(frozen=True)
class Preprocessing:
    """How a video becomes a network's input. Everything is None where nobody has said it.

    >>> Preprocessing.from_dict({"mean": [0.5] * 3, "std": [0.5] * 3, "image_size": 224}).image_size
    224

    Args:
        sampling: which frames make a clip.
        image_size: side of the square clips in pixels, or height and width.
        mean: of red, green and blue, for pixels in [0, 1].
        std: likewise.
        short_side: of the frames before the crop, in pixels; `image_size` where None.
        crop_rounding: where half a pixel goes when the crop's place is computed. Ours is "up", as TimeSformer's;
            Hugging Face's processors round "down".
        multi_label: a video may have several classes, so that each has a probability of its own (a sigmoid).

    Raises:
        ValueError: a value is of another kind than is said here.
    """

    sampling: SamplingRule | None = None
    image_size: int | tuple[int, int] | None = None
    mean: Three | None = None
    std: Three | None = None
    short_side: int | None = None
    crop_rounding: Literal["up", "down"] = "up"
    multi_label: bool = False

    def __post_init__(self) -> None:
        for name in ("mean", "std"):
            if (values := getattr(self, name)) is not None:
                object.__setattr__(self, name, three(name, values))  # a file holds lists
        if self.std is not None and min(self.std) <= 0:
            raise Mistake(f"std={self.std} must be positive")
        if not isinstance(self.short_side, int | None):
            raise Mistake(f"short_side={self.short_side!r}; wanted pixels, a whole number")
        if self.crop_rounding not in ("up", "down"):
            raise Mistake(f"crop_rounding={self.crop_rounding!r}; wanted up or down")

    @property
    def pixels(self) -> tuple[Three, Three]:
        """Mean and std.

        Raises:
            ValueError: one of them is not known.
        """
        if self.mean is None or self.std is None:
            absent = "mean" if self.mean is None else "std"
            raise Mistake(f"no {absent}; wanted a number for each of red, green and blue")
        return self.mean, self.std

    def with_pixels(self, mean: Sequence[float], std: Sequence[float]) -> "Preprocessing":
        """The same with another mean and std."""
        return replace(self, mean=three("mean", mean), std=three("std", std))

    def to_dict(self) -> dict[str, Any]:
        """What is known, in plain types, as checkpoints hold it."""
        known: dict[str, Any] = {}
        if self.sampling is not None:
            known["sampling"] = {"class_path": self.sampling.class_path, "init_args": dict(self.sampling.init_args)}
        if self.image_size is not None:
            known["image_size"] = self.image_size
        known |= {name: list(value) for name in ("mean", "std") if (value := getattr(self, name)) is not None}
        if self.short_side is not None:
            known["short_side"] = self.short_side
        if self.crop_rounding != "up":
            known["crop_rounding"] = self.crop_rounding
        if self.multi_label:
            known["multi_label"] = True
        return known

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Preprocessing":
        """What `to_dict` was given; other keys are passed over.

        Raises:
            ValueError: an entry is of another kind. Which arguments a rule takes is known to those who use it.
        """
        return cls(
            _rule(stored.get("sampling")),
            _size(stored.get("image_size")),
            stored.get("mean"),
            stored.get("std"),
            stored.get("short_side"),
            stored.get("crop_rounding", "up"),
            bool(stored.get("multi_label", False)),
        )


def three(name: str, values: Sequence[float]) -> Three:
    """`values`, which the message calls `name`, as three numbers.

    Raises:
        ValueError: they are anything else.
    """
    try:
        red, green, blue = (float(value) for value in values)
    except (TypeError, ValueError):
        raise Mistake(f"{name}={values!r}: wanted a number for each of red, green and blue") from None
    return red, green, blue


def _rule(stored: Any) -> SamplingRule | None:
    if not stored:
        return None
    match stored:
        case {"class_path": str() as path, "init_args": dict() as arguments}:
            return SamplingRule(path, arguments)
    raise Mistake(
        f"sampling={stored!r}; wanted class_path, the import path of a rule, and init_args, its arguments by name"
    )


def _size(stored: Any) -> int | tuple[int, int] | None:
    match stored:
        case None | int():
            return stored
        case [int() as height, int() as width]:
            return height, width
    raise Mistake(f"image_size={stored!r}; wanted pixels, a whole number, or height and width")
