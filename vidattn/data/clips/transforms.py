"""What happens to the pixels of a clip: `torchvision.transforms.v2`, and the few things it lacks.

Clips are uint8 `(T, 3, H, W)` here. Frames stand where v2 expects a batch, so v2's transforms draw once for the whole
clip: RandomCrop, RandomResizedCrop, RandomHorizontalFlip, ColorJitter, RandAugment, RandomErasing and their like all do
(tested). AugMix does not: it mixes each frame by its own weights. Normalisation is the model's, on the device.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torchvision import tv_tensors
from torchvision.transforms import v2

from vidattn.mistakes import Mistake


class ShortSide(v2.Transform):
    """Resizes a clip so that its short side is `size`; the long side keeps the shape, rounded down.

    Args:
        size: the short side in pixels.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """uint8 `(T, 3, H, W)` -> `(T, 3, H', W')`; boxes `(n, 4)` move with it."""
        return self._call_kernel(v2.functional.resize, inpt, [self.size], antialias=True)


class ShortSideJitter(v2.Transform):
    """Resizes a clip so that its short side is a random size, every whole number in `[low, high]` as likely.

    The scale jitter of https://arxiv.org/abs/1409.1556, section 3.1; 256 to 320 before a crop of 224 is usual.

    Args:
        low: smallest short side in pixels.
        high: largest short side in pixels.
    """

    def __init__(self, low: int, high: int) -> None:
        super().__init__()
        if not 0 < low <= high:
            raise Mistake(f"ShortSideJitter(low={low}, high={high}): expected 0 < low <= high")
        self.low = low
        self.high = high

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The size, drawn once for the clip and all that lies on it."""
        return {"size": int(torch.randint(self.low, self.high + 1, ()))}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """uint8 `(T, 3, H, W)` -> `(T, 3, H', W')`; boxes `(n, 4)` move with it."""
        return self._call_kernel(v2.functional.resize, inpt, [params["size"]], antialias=True)


class SpatialCrops(nn.Module):
    """The test crops: short side to `size`, then squares spread evenly along the long side.

    One crop is the centre; three are left, centre and right (top, centre and bottom of an upright video). Of a square
    video there is one, however many are asked for: no two are the same.

    Args:
        size: side of a crop in pixels.
        num_crops: how many, where there are so many.
        short_side: of the frames before the crops, where that is more than `size` (ViViT: 256 for 224).
        rounding: of half pixels: up, as in TimeSformer's uniform_crop. Hugging Face's processors round down.
    """

    def __init__(
        self,
        size: int,
        num_crops: int,
        short_side: int | None = None,
        rounding: Callable[[float], int] = math.ceil,
    ) -> None:
        super().__init__()
        if num_crops < 1:
            raise Mistake(f"num_crops={num_crops} must be 1 (centre) or more (3 is usual)")
        if short_side is not None and short_side < size:
            raise Mistake(f"short_side={short_side} is less than the crop's size={size}; wanted at least as much")
        self.size = size
        self.num_crops = num_crops
        self.rounding = rounding
        self.short_side = ShortSide(short_side or size)

    def forward(self, clip: Tensor) -> list[Tensor]:
        """uint8 `(T, 3, H, W)` -> `num_crops` views of `(T, 3, size, size)`, or fewer."""
        return self.cut(self.strip(clip))

    def strip(self, frames: Tensor) -> Tensor:
        """uint8 `(T, 3, H, W)` -> `(T, 3, H', W')`: resized, and no more of it than the crops cover together."""
        frames = self.short_side(frames)
        corners = self._corners(*frames.shape[-2:])
        (top, left), (bottom, right) = corners[0], corners[-1]
        return frames[..., top : bottom + self.size, left : right + self.size]

    def cut(self, strip: Tensor) -> list[Tensor]:
        """The crops of a strip: views of `(T, 3, size, size)`."""
        size = self.size
        return [strip[..., top : top + size, left : left + size] for top, left in self._corners(*strip.shape[-2:])]

    def follow(self, boxes: tv_tensors.TVTensor) -> list[tv_tensors.TVTensor]:
        """Boxes or masks on the frames, as they lie in each of the views."""
        resized = self.short_side(boxes)
        height, width = v2.functional.get_size(resized)
        crops = [(top, left, self.size, self.size) for top, left in self._corners(height, width)]
        return [v2.functional.crop(resized, *crop) for crop in crops]

    def _corners(self, height: int, width: int) -> list[tuple[int, int]]:
        """Top and left of each crop."""
        across = self.rounding((min(height, width) - self.size) / 2)
        along = self._offsets(max(height, width))
        return [(across, offset) if width >= height else (offset, across) for offset in dict.fromkeys(along)]

    def _offsets(self, length: int) -> list[int]:
        room = length - self.size
        if self.num_crops == 1:
            return [self.rounding(room / 2)]
        return [self.rounding(room * crop / (self.num_crops - 1)) for crop in range(self.num_crops)]


def default_train_transforms(size: int) -> list[nn.Module]:
    """Short side jitter (256 to 320 at size 224, in proportion else) and a random crop of `size`.

    No flip: mirrored, "pushing left to right" becomes another class. Where classes have no side, add
    `torchvision.transforms.v2.RandomHorizontalFlip` (TimeSformer does on Kinetics).

    >>> default_train_transforms(448)[0].low
    512
    """
    return [ShortSideJitter(round(size * 256 / 224), round(size * 320 / 224)), v2.RandomCrop(size)]
