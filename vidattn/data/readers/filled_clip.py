"""Frames on their way into one clip."""

import numpy as np
import torch
from torch import Tensor

from vidattn.data.errors import VideoDecodeError
from vidattn.data.readers.base import REENCODE, Keep


class FilledClip:
    """The wanted frames of one call, filled in any order; memory is taken for what is kept of them.

    Args:
        path: the file, for messages.
        indices: frame numbers in the order of the clip; they may repeat.
        keep: what is kept of a picture; all of it by default.
    """

    def __init__(self, path: str, indices: list[int], keep: Keep | None = None) -> None:
        self.path = path
        self.slots: dict[int, list[int]] = {}  # frame -> places in the clip
        for place, index in enumerate(indices):
            self.slots.setdefault(index, []).append(place)
        self._keep = keep
        self._missing = set(self.slots)
        self._length = len(indices)
        self._shape: tuple[int, ...] = ()  # of the pictures
        self._pixels: np.ndarray | None = None

    @property
    def is_full(self) -> bool:
        """Whether every wanted frame is there."""
        return not self._missing

    def put(self, index: int, image: np.ndarray) -> None:
        """Copy one picture, or what is kept of it, to its places."""
        kept = image if self._keep is None else self._keep(image)
        if self._pixels is None:
            self._shape = image.shape
            self._pixels = np.empty((self._length, *kept.shape), np.uint8)
        if self._shape != image.shape:
            size, before = ("{1} x {0}".format(*shape) for shape in (image.shape, self._shape))
            raise VideoDecodeError(
                self.path, f"frame {index} is {size} pixels, others of this clip are {before}; {REENCODE}"
            )
        first, *repeats = self.slots[index]
        self._pixels[first] = kept
        for place in repeats:
            self._pixels[place] = self._pixels[first]
        self._missing.discard(index)

    def tensor(self) -> Tensor:
        """uint8 `(T, H, W, 3)`, or `(T, ...)` of what was kept, once it is full."""
        assert self._pixels is not None
        assert self.is_full
        return torch.from_numpy(self._pixels)
