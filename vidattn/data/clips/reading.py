"""From an open video to its clips, each frame decoded once."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from vidattn.data.clips.sampling import VideoTimes
from vidattn.data.errors import PassingError, VideoDecodeError
from vidattn.data.readers.base import VideoReader, check_indices
from vidattn.data.readers.library_errors import library_errors, opening_errors
from vidattn.data.readers.opening import Opener
from vidattn.data.videos.manifest import Video


class Crops(Protocol):
    """Which pixels of a picture are kept: `SpatialCrops`, or another rule."""

    def strip(self, frames: Tensor) -> Tensor:
        """uint8 `(T, 3, H, W)` -> `(T, 3, H', W')`: what the crops cover together."""

    def cut(self, strip: Tensor) -> list[Tensor]:
        """The crops of a strip, `(T, 3, S, S)` each."""


def decode_clips(
    video: Video,
    opener: Opener,
    choose: Callable[[VideoTimes], list[list[int]]],
    crops: Crops | None = None,
    sized: bool = False,
) -> tuple[list[list[int]], list[Tensor], tuple[int, int]]:
    """The frames of the clips that `choose` picks; the clips, as `read_clips` gives them; and height and width of the
    frames before `crops`, at the cost of one more frame: (0, 0) unless `sized`.

    Raises:
        VideoDecodeError: whatever is wrong with the file.
    """
    try:
        with _opened(video, opener) as opened:
            try:
                times = VideoTimes(opened.num_frames, opened.fps, opened.times, video.segment)
            except ValueError as error:
                raise VideoDecodeError(video.path, str(error)) from error
            chosen = choose(times)
            size = size_of(opened.frames(chosen[0][:1]).permute(0, 3, 1, 2)) if sized else (0, 0)
            return chosen, read_clips(opened, chosen, crops), size
    except OSError as error:
        raise PassingError(video.path, str(error)) from error


def _opened(video: Video, opener: Opener) -> VideoReader:
    with opening_errors(video.path):
        return opener(video)


def read_clips(reader: VideoReader, clips: Sequence[Sequence[int]], crops: Crops | None = None) -> list[Tensor]:
    """Clips of an open video, uint8 `(T, 3, H, W)`, each followed by its crops; every frame is decoded once.

    Frames are resized and cut as they are decoded: memory is taken for what the crops cover, not for whole pictures.

    Args:
        reader: an open video.
        clips: the frames of each clip.
        crops: of each clip; the frames as they are by default.

    Raises:
        IndexError: a clip leaves the video.
        VideoDecodeError: whatever the reader raised.
    """
    wanted = check_indices(reader.path, sorted({frame for clip in clips for frame in clip}), reader.num_frames)
    place = {frame: i for i, frame in enumerate(wanted)}
    with library_errors(reader.path, "the reader"):
        frames = reader.frames(wanted).permute(0, 3, 1, 2) if crops is None else reader.frames(wanted, CropStrip(crops))
    chosen = (frames[[place[frame] for frame in clip]] for clip in clips)
    return [crop for clip in chosen for crop in ([clip] if crops is None else crops.cut(clip))]


class CropStrip:
    """Keeps what the crops of a picture cover together; see `VideoReader.frames`.

    Not the crops: where they overlap, as three of a 4:3 picture do, they take twice the memory, and time to copy it.
    """

    def __init__(self, crops: Crops) -> None:
        self.crops = crops

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """uint8 `(H, W, 3)` -> `(3, H', W')`."""
        # A picture that is turned upright is a view that goes backwards, which torch does not take.
        owned = image if image.flags.c_contiguous and image.flags.writeable else image.copy()
        return self.crops.strip(torch.from_numpy(owned).permute(2, 0, 1)[None])[0].contiguous().numpy()


def size_of(frames: Tensor) -> tuple[int, int]:
    """Height and width of frames `(..., H, W)`."""
    height, width = frames.shape[-2:]
    return height, width
