"""Frames on their way into one clip."""

import numpy as np
import torch
from torch import Tensor

from vidattn.data.errors import VideoDecodeError
from vidattn.data.readers.base import REENCODE


class FilledClip:
    """The wanted frames of one call, filled in any order.

    Args:
        path: the file, for messages.
        indices: frame numbers in the order of the clip; they may repeat.
    """

    def __init__(self, path: str, indices: list[int]) -> None:
        self.path = path
        self.slots: dict[int, list[int]] = {}  # frame -> places in the clip
        for place, index in enumerate(indices):
            self.slots.setdefault(index, []).append(place)
        self._missing = set(self.slots)
        self._length = len(indices)
        self._pixels: np.ndarray | None = None

    @property
    def is_full(self) -> bool:
        """Whether every wanted frame is there."""
        return not self._missing

    def put(self, index: int, image: np.ndarray) -> None:
        """Copy one picture to its places."""
        if self._pixels is None:
            self._pixels = np.empty((self._length, *image.shape), np.uint8)
        if self._pixels.shape[1:] != image.shape:
            size, before = ("{1} x {0}".format(*shape) for shape in (image.shape, self._pixels.shape[1:]))
            raise VideoDecodeError(
                self.path, f"frame {index} is {size} pixels, others of this clip are {before}; {REENCODE}"
            )
        first, *repeats = self.slots[index]
        self._pixels[first] = image
        for place in repeats:
            self._pixels[place] = self._pixels[first]
        self._missing.discard(index)

    def tensor(self) -> Tensor:
        """uint8 `(T, H, W, 3)`, once it is full."""
        assert self._pixels is not None
        assert self.is_full
        return torch.from_numpy(self._pixels)
