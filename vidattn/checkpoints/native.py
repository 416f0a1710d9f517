"""The clips that another library's network was made for: its map of patches, and sizes that patches divide."""

import math
from collections.abc import Collection

from vidattn.checkpoints.renaming import WeightsError

Sides = tuple[int, int]
"""Height and width."""


def floored(what: str, size: int, part: int) -> tuple[int, list[str]]:
    """The largest multiple of `part` in `size`, as convolutions of that stride cut it, and a line if that is less.

    >>> floored("num_frames", 45, 2)
    (44, ['num_frames: 45 in the file, of which its patches of 2 see the first 44'])

    Raises:
        WeightsError: `size` is smaller than `part`.
    """
    whole = size // part * part
    if not whole:
        raise WeightsError(f"{what}={size} is less than one patch of {part}")
    return whole, [f"{what}: {size} in the file, of which its patches of {part} see the first {whole}"][: whole < size]


def floored_sides(size: Sides, patch: int) -> tuple[int | Sides, list[str]]:
    """`floored` for height and width; one number where both are the same."""
    (height, notes), (width, more) = floored("image_size", size[0], patch), floored("image_size", size[1], patch)
    return height if height == width else (height, width), list(dict.fromkeys([*notes, *more]))


def native_map(places: Collection[int], patch: int, said: Sides | None, asked: Sides | None) -> tuple[Sides, list[str]]:
    """Rows and columns of the patches that a table of positions is for, and a line where that was assumed.

    What the file says counts; where it says nothing, the size that is asked for, if it has as many places; then a
    square.

    >>> native_map([196], 16, said=None, asked=None)
    ((14, 14), ['image_size: assumed square, 224x224; the file does not say'])
    >>> native_map([196], 16, said=(56 * 2, 448), asked=None)
    ((7, 28), [])

    Args:
        places: how many there may be: the table's rows, with or without those of prefix tokens; the likelier first.
        patch: side of a patch in pixels.
        said: height and width in pixels that the file says.
        asked: height and width in pixels that somebody wants to load it at.

    Raises:
        WeightsError: none of these has as many places.
    """
    for size in (said, asked):
        if size is None or size[0] // patch * (size[1] // patch) not in places:
            continue
        height, width = size[0] // patch, size[1] // patch
        if size is said or height == width:
            return (height, width), []
        wide = f"{height * patch}x{width * patch}"
        return (height, width), [f"image_size: taken as {wide}, as asked for; the file has as many places"]
    if square := next((number for number in places if number > 0 and math.isqrt(number) ** 2 == number), None):
        side = math.isqrt(square)
        why = f"{said[0]}x{said[1]}, as its configuration says, has other places" if said else "the file does not say"
        return (side, side), [f"image_size: assumed square, {side * patch}x{side * patch}; {why}"]
    count = " or ".join(map(str, places))
    raise WeightsError(
        f"its table of positions is for {count} patches, which make no square; give image_size=(height, width) in "
        f"pixels that has as many patches of {patch} x {patch}"
    )
