"""Whether patches and tubelets fill a clip."""

from vidattn.mistakes import Mistake


def check_divisible(size: tuple[int, int], patch_size: int, name: str) -> None:
    """Raise a `ValueError` that names the nearest fitting sizes unless the patch divides height and width.

    >>> check_divisible((225, 224), 16, "image_size")
    Traceback (most recent call last):
    vidattn.mistakes.Mistake: image_size=225x224: 225 is not a multiple of patch_size=16; nearest sizes are 224 and 240
    """
    for side in size:
        if side % patch_size or side < patch_size:
            below = max(side, 0) // patch_size * patch_size
            nearest = " and ".join(str(fit) for fit in (below, below + patch_size) if fit)
            kind = "multiple" if side > 0 else "positive multiple"
            raise Mistake(
                f"{name}={size[0]}x{size[1]}: {side} is not a {kind} of patch_size={patch_size}; "
                f"nearest sizes are {nearest}"
            )


def check_frames(frames: int, tubelet_size: int, name: str) -> None:
    """Raise a `ValueError` that names the nearest fitting lengths unless tubelets fill the clip.

    >>> check_frames(9, 2, "num_frames")
    Traceback (most recent call last):
    vidattn.mistakes.Mistake: num_frames=9 is not a multiple of tubelet_size=2; nearest lengths are 8 and 10
    """
    if frames % tubelet_size or frames < tubelet_size:
        below = frames // tubelet_size * tubelet_size
        nearest = " and ".join(str(fit) for fit in (below, below + tubelet_size) if fit)
        raise Mistake(
            f"{name}={frames} is not a multiple of tubelet_size={tubelet_size}; nearest lengths are {nearest}"
        )
