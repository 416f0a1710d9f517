"""A folder of pictures as a video: what Something-Something, mmaction2 and many labs extract beforehand."""

import os
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from vidattn.data.errors import PassingError, VideoDecodeError
from vidattn.data.lists.pictures import PICTURE
from vidattn.data.readers.base import VideoReader, check_indices, first_line


class FrameFolderReader(VideoReader):
    """Pictures named `<prefix><number>.jpg` (or png) in the order of their numbers, at a constant rate.

    Of several prefixes, `img_` is taken: beside it mmaction2 stores optical flow as `flow_x_` and `flow_y_`.

    `numbers` are theirs; where some are left out, the others count as if they stood in a row.

    Args:
        path: the folder.
        fps: pictures per second; the folder does not tell.

    Raises:
        VideoDecodeError: there is no such folder, its pictures are none or of several kinds, or two have one number.
    """

    def __init__(self, path: str, fps: float = 30.0) -> None:
        self.path = path
        try:
            names = os.listdir(path)
        except OSError as error:
            raise VideoDecodeError(path, f"cannot open the folder ({error.strerror}); check the path") from error
        by_prefix: dict[str, dict[int, str]] = defaultdict(dict)
        twice: list[tuple[str, list[str]]] = []
        for name in sorted(names):
            if match := PICTURE.match(name):
                pictures = by_prefix[match["prefix"]]
                number = int(match["number"])
                first = pictures.setdefault(number, name)
                if first != name:
                    twice.append((match["prefix"], sorted((first, name))))
        if not by_prefix:
            raise VideoDecodeError(path, "the folder holds no pictures named <prefix><number>.jpg or .png")
        if len(by_prefix) > 1 and "img_" not in by_prefix:
            kinds = ", ".join(sorted(by_prefix))
            raise VideoDecodeError(path, f"the folder holds pictures of several kinds ({kinds}); keep one of them")
        numbered = by_prefix["img_"] if len(by_prefix) > 1 else next(iter(by_prefix.values()))
        for prefix, pair in twice:
            if by_prefix[prefix] is numbered:
                reason = f"{pair[0]} and {pair[1]} have one number; keep one set of pictures, and take the other away"
                raise VideoDecodeError(path, reason)
        self.numbers = sorted(numbered)
        self._files = [os.path.join(path, numbered[number]) for number in self.numbers]
        self.num_frames = len(self._files)
        self.fps = fps
        self.times = np.arange(self.num_frames) / fps

    def frames(self, indices: Sequence[int]) -> Tensor:
        """Frames as uint8 RGB `(T, H, W, 3)` in the order of `indices`, which may repeat; each is decoded once.

        Raises:
            IndexError: an index is negative or not below `num_frames`.
            VideoDecodeError: a picture does not decode, or has another size than the others of the clip.
        """
        checked = check_indices(self.path, indices, self.num_frames)
        pictures: dict[int, Tensor] = {}
        for index in set(checked):
            try:
                with Image.open(self._files[index]) as picture:
                    if picture.mode[0] in "IF":  # Pillow would clip them to white
                        raise ValueError(f"its pixels are of Pillow's mode {picture.mode}, wanted 8 bits a colour")
                    pictures[index] = torch.from_numpy(np.array(picture.convert("RGB")))
            except (OSError, ValueError, SyntaxError) as error:  # Pillow's for broken PNGs
                if isinstance(error, OSError) and error.errno is not None:  # Pillow's own has none
                    reason = f"cannot read it ({error.strerror}); check the disk and your access to the file"
                    raise PassingError(self._files[index], reason) from error
                raise VideoDecodeError(
                    self._files[index], f"cannot decode it ({first_line(error)}); extract this video again"
                ) from error
        if len({picture.shape for picture in pictures.values()}) > 1:
            raise VideoDecodeError(self.path, "its pictures differ in size; extract this video again")
        return torch.stack([pictures[index] for index in checked])

    def close(self) -> None:
        """Nothing stays open."""
