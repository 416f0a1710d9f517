"""From an open video to its clips, each frame decoded once."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from vidattn.data.clips.sampling import VideoTimes
from vidattn.data.errors import PassingError, VideoDecodeError
from vidattn.data.readers.base import VideoReader, check_indices
from vidattn.data.readers.library_errors import library_errors, opening_errors
from vidattn.data.readers.opening import VideoOpener
from vidattn.data.videos.manifest import Video


def decode_clips(
    video: Video,
    opener: VideoOpener,
    choose: Callable[[VideoTimes], list[list[int]]],
    crops: Callable[[Tensor], list[Tensor]] | None = None,
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


def _opened(video: Video, opener: VideoOpener) -> VideoReader:
    with opening_errors(video.path):
        return opener(video)


def read_clips(
    reader: VideoReader, clips: Sequence[Sequence[int]], crops: Callable[[Tensor], list[Tensor]] | None = None
) -> list[Tensor]:
    """Clips of an open video, uint8 `(T, 3, H, W)`, each followed by its crops; every frame is decoded once.

    Frames are cropped as they are decoded: memory is taken for the crops, not for the pictures that they are cut from.

    Args:
        reader: an open video.
        clips: the frames of each clip.
        crops: from frames `(n, 3, H, W)` to several views of them, one size all; the frames as they are by default.

    Raises:
        IndexError: a clip leaves the video.
        VideoDecodeError: whatever the reader raised.
    """
    wanted = check_indices(reader.path, sorted({frame for clip in clips for frame in clip}), reader.num_frames)
    place = {frame: i for i, frame in enumerate(wanted)}
    with library_errors(reader.path, "the reader"):
        if crops is None:
            cropped: Sequence[Tensor] = [reader.frames(wanted).permute(0, 3, 1, 2)]
        else:
            cropped = reader.frames(wanted, CroppedPicture(crops)).unbind(1)
    return [crop[[place[frame] for frame in clip]] for clip in clips for crop in cropped]


class CroppedPicture:
    """Keeps the crops `(C, 3, S, S)` of a picture `(H, W, 3)`; see `VideoReader.frames`.

    Args:
        crops: from frames `(1, 3, H, W)` to C views of them.
    """

    def __init__(self, crops: Callable[[Tensor], list[Tensor]]) -> None:
        self.crops = crops

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """uint8 `(H, W, 3)` -> `(C, 3, S, S)`."""
        # A picture that is turned upright is a view that goes backwards, which torch does not take.
        owned = image if image.flags.c_contiguous and image.flags.writeable else image.copy()
        return torch.cat(self.crops(torch.from_numpy(owned).permute(2, 0, 1)[None])).numpy()


def size_of(frames: Tensor) -> tuple[int, int]:
    """Height and width of frames `(..., H, W)`."""
    height, width = frames.shape[-2:]
    return height, width
