"""Decoded frames that are kept in memory, for sets that are small: decoding is paid once, not in every epoch."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from vidattn.checks import check_above_zero, check_positive
from vidattn.data.clips.transforms import ShortSide
from vidattn.data.readers.base import Keep, VideoReader
from vidattn.data.readers.in_memory import FramesReader
from vidattn.data.readers.opening import Opener
from vidattn.data.videos.manifest import Video


@dataclass(frozen=True)
class FrameCache:
    """How much is kept of the videos that were read. What no longer fits is decoded anew each time.

    Every frame is seen in the size that is kept, also where it is decoded again: what a network sees does not depend
    on which videos came first. 900 clips of 34 frames take 0.64 GB at 72 x 96 pixels.

    Args:
        short_side: of the kept frames, in pixels; smaller ones stay as they are. A little above `image_size` leaves
            room for crops.
        gigabytes: at most so much, in each process that decodes (each data worker of training and of validation).

    Raises:
        ValueError: a number is not above 0.
    """

    short_side: int
    gigabytes: float = 2.0

    def __post_init__(self) -> None:
        check_positive(short_side=self.short_side)
        check_above_zero(gigabytes=self.gigabytes)


@dataclass
class CachedOpener:
    """Opens a video out of memory, where it was read before by this process.

    Args:
        opener: opens it the first time.
        cache: the size of frames, and how many are kept.
    """

    opener: Opener
    cache: FrameCache
    _kept: dict[tuple[str, float | None], "KeptVideo"] = field(default_factory=dict, init=False, repr=False)
    _bytes: int = field(default=0, init=False, repr=False)

    def __call__(self, video: Video) -> VideoReader:
        """A reader on the video.

        Raises:
            VideoDecodeError: it cannot be opened, or not be read to its end.
        """
        key = video.path, video.folder_fps
        if key not in self._kept:
            small = SmallFrames(self.opener(video), self.cache.short_side)
            first = small.frames([0]).nbytes
            if self._bytes + first * small.num_frames > self.cache.gigabytes * 1e9:
                return small
            with small:
                self._kept[key] = KeptVideo(small)
            self._bytes += first * small.num_frames
        return self._kept[key]


class SmallFrames(VideoReader):
    """A video whose frames come out with their short side resized to `short_side`, where it is longer."""

    def __init__(self, reader: VideoReader, short_side: int) -> None:
        self.path, self.num_frames, self.fps, self.times = reader.path, reader.num_frames, reader.fps, reader.times
        self._reader = reader
        self._short_side = short_side

    def frames(self, indices: Sequence[int], keep: Keep | None = None) -> Tensor:
        """uint8 `(T, H, W, 3)`, or what `keep` keeps of each; see `VideoReader.frames`."""
        return self._reader.frames(indices, Smaller(self._short_side, keep))

    def close(self) -> None:
        """Free the file and the decoder."""
        self._reader.close()


class Smaller:
    """Resizes a picture, and hands it on to `keep`; a class, so that it can go to the process that decodes."""

    def __init__(self, short_side: int, keep: Keep | None) -> None:
        self.resize = ShortSide(short_side)
        self.keep = keep

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """uint8 `(H, W, 3)` -> `(H', W', 3)`, or what is kept of that."""
        if min(image.shape[:2]) > self.resize.size:
            channels_first = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None]
            image = self.resize(channels_first)[0].permute(1, 2, 0).contiguous().numpy()
        return image if self.keep is None else self.keep(image)


class KeptVideo(FramesReader):
    """All frames of a video, with its own clock."""

    def __init__(self, reader: VideoReader) -> None:
        super().__init__(reader.frames(range(reader.num_frames)), reader.fps)
        self.path, self.times = reader.path, reader.times
