"""Windows that slide over a video, and the clips in them, made while the file is decoded once from start to end."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from vidattn.classify.preparation import Preparation
from vidattn.data.clips.sampling import Sampler, VideoTimes
from vidattn.data.readers.in_memory import FramesReader
from vidattn.data.readers.pyav import PyAVReader
from vidattn.data.segment import Segment
from vidattn.mistakes import Mistake


class WindowedVideo:
    """Windows that slide over an open video, and the middle clip of each.

    Args:
        reader: an open video.
        preparation: which frames make a clip, and how they are cropped.
        window: seconds; by default as long as a clip in training.
        step: seconds from one window to the next; half a window by default.

    Attributes:
        times: when each frame is shown.
        duration: seconds.
        windows: start and end of each in seconds.
        clips: the frames of each window's clip.

    Raises:
        ValueError: windows would leave gaps.
    """

    def __init__(
        self, reader: PyAVReader | FramesReader, preparation: Preparation, window: float | None, step: float | None
    ) -> None:
        self.reader = reader
        self.preparation = preparation
        self.times = times = VideoTimes(reader.num_frames, reader.fps, reader.times)
        self.duration = times.seconds(times.num_frames - 1) + 1 / times.fps
        window = preparation.natural_window(times.fps) if window is None else window
        self.windows = sliding_windows(self.duration, window, window / 2 if step is None else step)
        self.clips = clips_in(self.windows, times, preparation.sampling)

    def crops(self) -> Iterator[Tensor]:
        """The crops of each clip in turn, uint8 `(C, 3, T, S, S)`; the file is decoded once."""
        return stream_clips(self.reader, self.clips, self.preparation.crops)


def sliding_windows(duration: float, window: float, step: float) -> list[tuple[float, float]]:
    """Start and end of each window in seconds; the last one ends with the video, also where that is no whole step.

    >>> sliding_windows(10.0, window=4.0, step=4.0)
    [(0.0, 4.0), (4.0, 8.0), (6.0, 10.0)]
    >>> sliding_windows(3.0, window=4.0, step=2.0)
    [(0.0, 3.0)]

    Raises:
        ValueError: `window` or `step` is not positive, or steps would leave gaps.
    """
    if not 0 < step <= window:
        raise Mistake(f"window={window} and step={step} seconds; wanted 0 < step <= window, so that nothing is missed")
    if duration <= window:
        return [(0.0, duration)]
    last = duration - window
    starts = [i * step for i in range(int(last / step + 1e-9) + 1)]
    if starts[-1] < last - 1e-6:
        starts.append(last)
    return [(start, start + window) for start in starts]


def clips_in(windows: Sequence[tuple[float, float]], times: VideoTimes, sampling: Sampler) -> list[list[int]]:
    """The frames of the middle clip of each window. In a gap without frames the one before it is still on show."""
    return [_clip_in(start, end, times, sampling) for start, end in windows]


def _clip_in(start: float, end: float, times: VideoTimes, sampling: Sampler) -> list[int]:
    try:
        inside = VideoTimes(times.num_frames, times.fps, times.times, Segment(start, end))
    except ValueError:
        shown = times.nearest(start)
        shown -= times.seconds(shown) > start and shown > 0
        return [shown] * sampling.num_frames
    return sampling.test(inside, 1)[0]


def stream_clips(
    reader: PyAVReader | FramesReader, clips: Sequence[Sequence[int]], crops: Callable[[Tensor], Sequence[Tensor]]
) -> Iterator[Tensor]:
    """The crops of each clip in turn, uint8 `(C, 3, T, S, S)`; holds only frames that a clip to come needs.

    Args:
        reader: an open video; it is decoded once, in order.
        clips: frame indices; neither first nor last frames go back from one clip to the next.
        crops: resizes and crops each frame, once.
    """
    assert all(min(a) <= min(b) and max(a) <= max(b) for a, b in pairwise(clips))
    pictures = reader.stream(sorted({index for clip in clips for index in clip}))
    held: dict[int, Tensor] = {}  # frame -> (C, 3, S, S)
    for clip, following in zip(clips, [*clips[1:], None], strict=True):
        while max(clip) not in held:
            index, picture = next(pictures)
            frame = torch.from_numpy(np.array(picture)).permute(2, 0, 1)
            held[index] = torch.cat([*crops(frame[None])])
        yield torch.stack([held[index] for index in clip], dim=2)
        if following is not None:
            for index in [index for index in held if index < min(following)]:
                del held[index]
