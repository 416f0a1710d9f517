"""A folder of pictures as a video: what Something-Something, mmaction2 and many labs extract beforehand."""

import os
import re
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from PIL import Image
from torch import Tensor

from vidattn.data.errors import PassingError, VideoDecodeError
from vidattn.data.lists.picture_folder import PICTURE
from vidattn.data.readers.base import Keep, VideoReader, check_indices, first_line
from vidattn.data.readers.filled_clip import FilledClip
from vidattn.mistakes import Mistake

_FLOW = re.compile(r"flow|[xyuv]_")


class FrameFolderReader(VideoReader):
    """Pictures named `<prefix><number>.jpg` (or png) in the order of their numbers, at a constant rate.

    Optical flow (`flow_x_`, `flow_y_`), which mmaction2 stores beside `img_`, is left aside.

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
        pictures_alone = {prefix for prefix in by_prefix if not _FLOW.match(prefix)}
        if len(by_prefix) > 1 and pictures_alone != {"img_"}:
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

    def frames(self, indices: Sequence[int], keep: Keep | None = None) -> Tensor:
        """Frames as uint8 RGB `(T, H, W, 3)` in the order of `indices`, which may repeat, or what `keep` keeps of them;
        each is decoded once.

        Raises:
            IndexError: an index is negative or not below `num_frames`.
            VideoDecodeError: a picture does not decode, or has another size than the others of the clip.
        """
        clip = FilledClip(self.path, check_indices(self.path, indices, self.num_frames), keep)
        shape: tuple[int, ...] | None = None
        for index in clip.slots:
            picture = self._picture(self._files[index])
            if picture.shape != (shape or picture.shape):
                raise VideoDecodeError(self.path, "its pictures differ in size; extract this video again")
            shape = picture.shape
            clip.put(index, picture)
        return clip.tensor()

    def close(self) -> None:
        """Nothing stays open."""

    def _picture(self, file: str) -> np.ndarray:
        try:
            with Image.open(file) as picture:
                if picture.mode[0] in "IF":  # Pillow would clip them to white
                    raise Mistake(f"its pixels are of Pillow's mode {picture.mode}, wanted 8 bits a colour")
                return np.array(picture.convert("RGB"))
        except Exception as error:  # Pillow's are of many kinds
            if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno is not None):
                reason = f"cannot read it ({getattr(error, 'strerror', 'memory is short')}); check the disk and your "
                raise PassingError(file, f"{reason}access to the file") from error  # Pillow's own have no errno
            raise VideoDecodeError(file, f"cannot decode it ({first_line(error)}); extract this video again") from error
