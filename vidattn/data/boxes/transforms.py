"""What happens to the pixels of a clip in detection: all of the picture in evaluation, a part of it in training."""

from typing import Any

import torch
from torch import Tensor, nn
from torchvision import tv_tensors
from torchvision.transforms import v2

from vidattn.mistakes import Mistake


class WholePicture:
    """The one view of detection: the whole picture, resized to a square.

    Not a crop, which would leave people out, nor a letterbox, whose bars would take 25% of the tokens of a 4:3 video
    and 44% of a 16:9 one. Sides change their proportion, as in MOC (https://arxiv.org/abs/2001.04608) and as
    `RandomPart` does in training; fractions of the square are fractions of the file's picture, so that what is found
    can be drawn on it as it is.

    Args:
        size: side of the square in pixels.
    """

    def __init__(self, size: int) -> None:
        self.size = size

    def strip(self, frames: Tensor) -> Tensor:
        """uint8 `(T, 3, H, W)` -> `(T, 3, size, size)`."""
        return v2.functional.resize(frames, [self.size, self.size], antialias=True)

    def cut(self, strip: Tensor) -> list[Tensor]:
        """The one view."""
        return [strip]

    def follow(self, boxes: tv_tensors.TVTensor) -> list[tv_tensors.TVTensor]:
        """Boxes on the frames, as they lie in the view."""
        return [v2.functional.resize(boxes, [self.size, self.size])]


class RandomPart(v2.Transform):
    """A random part of the picture, resized to a square: its width and height are drawn apart.

    Each is a share of the picture's from `least` to all of it, every share as likely, and so is every place where it
    fits. So the whole picture, which evaluation shows, is one of the parts, in whatever proportion videos come.

    Args:
        size: side of the square in pixels.
        least: smallest share of width and height.
    """

    def __init__(self, size: int, least: float = 0.6) -> None:
        super().__init__()
        if not 0 < least <= 1:
            raise Mistake(f"RandomPart(least={least}): expected a share of the sides, more than 0 and at most 1")
        self.size = size
        self.least = least

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The part, drawn once for the clip and all that lies on it."""
        height, width = v2.functional.get_size(flat_inputs[0])
        shares = self.least + (1 - self.least) * torch.rand(2)
        sides = [max(1, round(side * share)) for side, share in zip((height, width), shares.tolist(), strict=True)]
        corner = [int(torch.randint(whole - side + 1, ())) for whole, side in zip((height, width), sides, strict=True)]
        return {"top": corner[0], "left": corner[1], "height": sides[0], "width": sides[1]}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """uint8 `(T, 3, H, W)` -> `(T, 3, size, size)`; boxes `(n, 4)` move with it."""
        return self._call_kernel(
            v2.functional.resized_crop, inpt, **params, size=[self.size, self.size], antialias=True
        )


def default_box_transforms(size: int) -> list[nn.Module]:
    """A random part of the picture, as a square.

    No flip: mirrored, "pushing left to right" becomes another class. Where classes have no side, add
    `torchvision.transforms.v2.RandomHorizontalFlip`.

    >>> default_box_transforms(224)[0].size
    224
    """
    return [RandomPart(size)]
