"""Which frames make a clip: pure integers and seconds, no video is opened here.

A rule is one small class; its constructor arguments are the YAML keys. Frame indices count the frames of the file in
presentation order, from 0. A clip never leaves its video (or its segment); past the end the last frame repeats.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Protocol

import numpy as np
import torch

from vidattn.checks import check_above_zero, check_positive
from vidattn.data.segment import WHOLE_FILE, Segment
from vidattn.mistakes import Mistake


@dataclass(frozen=True, eq=False)
class VideoTimes:
    """What a rule may know of a video: how many frames, when each is shown, and which segment is meant.

    Args:
        num_frames: frames in the file.
        fps: average frames per second; used where `times` is None.
        times: when each frame is shown, in seconds, ascending; None for a constant rate from 0.
        segment: the part of it that is meant.

    Raises:
        ValueError: no frame is shown in the segment, or there are no frames at all.
    """

    num_frames: int
    fps: float
    times: Sequence[float] | np.ndarray | None = None
    segment: Segment = WHOLE_FILE

    def __post_init__(self) -> None:
        if self.num_frames < 1:
            raise Mistake("the video has no frames")
        if not 0 <= self.first < self.stop <= self.num_frames:
            start, end, first, stop = self.segment
            frames = f" and from frame {first} to {stop}" if first is not None else ""
            raise Mistake(
                f"no frame in the segment from {start} to {end} seconds{frames}: "
                f"the {self.num_frames} frames end at {self.seconds(self.num_frames - 1):.2f} seconds"
            )

    @property
    def first(self) -> int:
        """First frame of the segment.

        >>> VideoTimes(100, fps=10, segment=Segment(start=2.0, end=4.0)).first
        20
        """
        start, _, first, _ = self.segment
        return max(first or 0, 0 if start is None else self._first_frame_from(start))

    @property
    def stop(self) -> int:
        """One past the last frame of the segment.

        >>> VideoTimes(100, fps=10, segment=Segment(start=2.0, end=4.0)).stop
        40
        """
        _, end, _, stop = self.segment
        last = self.num_frames if stop is None else min(stop, self.num_frames)
        return last if end is None else min(last, self._first_frame_from(end))

    def seconds(self, index: int) -> float:
        """When a frame is shown."""
        return index / self.fps if self.times is None else float(self.times[index])

    def nearest(self, seconds: float) -> int:
        """The frame of the segment that is shown nearest to an instant; of two equally near, the earlier.

        >>> VideoTimes(4, fps=1, times=[0.0, 0.1, 0.9, 1.0]).nearest(0.6)
        2
        """
        after = min(self._first_frame_from(seconds), self.stop - 1)
        before = max(after - 1, self.first)
        after = max(after, self.first)
        return before if seconds - self.seconds(before) <= self.seconds(after) - seconds else after

    def _first_frame_from(self, seconds: float) -> int:
        # A microsecond of slack: 0.1 * 3 must not fall behind the frame at 0.3.
        return bisect_left(range(self.num_frames), seconds - 1e-6, key=self.seconds)


class Sampler(Protocol):
    """A rule that picks the `num_frames` frames of a clip."""

    @property
    def num_frames(self) -> int:
        """Frames in a clip, T."""

    def train(self, video: VideoTimes, generator: torch.Generator) -> list[int]:
        """One random clip: `num_frames` ascending frame indices."""

    def test(self, video: VideoTimes, num_clips: int) -> list[list[int]]:
        """`num_clips` clips spread evenly over the video, earliest first."""


@dataclass(frozen=True)
class StrideSampling:
    """Every `frame_stride`-th frame: "8x32" is 8 frames, stride 32. The usual rule of the papers.

    Training starts anywhere the clip fits. Testing spreads the starts evenly from the first to the last that fits;
    a single clip is the middle one (TimeSformer, https://arxiv.org/abs/2102.05095, section 4).

    >>> StrideSampling(num_frames=8, frame_stride=32).test(VideoTimes(300, fps=30), num_clips=1)
    [[37, 69, 101, 133, 165, 197, 229, 261]]

    Args:
        num_frames: frames in a clip, T.
        frame_stride: distance between neighbours, in frames (not seconds).
    """

    num_frames: int
    frame_stride: int

    def __post_init__(self) -> None:
        check_positive(num_frames=self.num_frames, frame_stride=self.frame_stride)

    def train(self, video: VideoTimes, generator: torch.Generator) -> list[int]:
        """One clip at a random start."""
        room = max(0, video.stop - video.first - self._span)
        return self._clip(video, video.first + int(torch.randint(room + 1, (), generator=generator)))

    def test(self, video: VideoTimes, num_clips: int) -> list[list[int]]:
        """`num_clips` clips, the first at the start, the last at the end; one clip is in the middle."""
        room = max(0, video.stop - video.first - self._span)
        return [self._clip(video, video.first + int(room * place)) for place in _places(num_clips)]

    @property
    def _span(self) -> int:
        return (self.num_frames - 1) * self.frame_stride + 1

    def _clip(self, video: VideoTimes, start: int) -> list[int]:
        return [min(start + i * self.frame_stride, video.stop - 1) for i in range(self.num_frames)]


@dataclass(frozen=True)
class SecondsSampling:
    """A frame every `seconds_between` seconds, so that files of 25 and 60 frames a second show the same motion.

    Takes the frame nearest to each instant by the file's own clock, which is right for variable frame rates as well.
    Where a clip starts is chosen as in `StrideSampling`, in seconds.

    >>> SecondsSampling(num_frames=4, seconds_between=0.4).test(VideoTimes(100, fps=25), num_clips=2)
    [[0, 10, 20, 30], [69, 79, 89, 99]]

    Args:
        num_frames: frames in a clip, T.
        seconds_between: time from one frame to the next. 32 frames at 30 a second are 1.0667 seconds.
    """

    num_frames: int
    seconds_between: float

    def __post_init__(self) -> None:
        check_positive(num_frames=self.num_frames)
        check_above_zero(seconds_between=self.seconds_between)

    def train(self, video: VideoTimes, generator: torch.Generator) -> list[int]:
        """One clip at a random instant."""
        place = float(torch.rand((), generator=generator, dtype=torch.float64))
        return self._clip(video, place)

    def test(self, video: VideoTimes, num_clips: int) -> list[list[int]]:
        """`num_clips` clips, the first at the start, the last at the end; one clip is in the middle."""
        return [self._clip(video, float(place)) for place in _places(num_clips)]

    def _clip(self, video: VideoTimes, place: float) -> list[int]:
        earliest, latest = video.seconds(video.first), video.seconds(video.stop - 1)
        room = max(0.0, latest - earliest - (self.num_frames - 1) * self.seconds_between)
        start = earliest + room * place
        return [video.nearest(start + i * self.seconds_between) for i in range(self.num_frames)]


@dataclass(frozen=True)
class UniformSampling:
    """One frame out of each of `num_frames` equal parts, so that a clip spans the whole video.

    The segments of TSN (https://arxiv.org/abs/1608.00859, section 3.1), in testing with the rounding that SlowFast and
    TimeSformer use on Something-Something. Training draws a frame in each part, testing takes the middle of each; of
    several test clips, each part's frames are taken evenly. A video of exactly `num_frames` frames is taken as it is,
    and a shorter one repeats its frames evenly.

    The official parts overlap by one frame, so that training may show a frame twice, and even of a video of
    `num_frames` frames another selection every time. Where motion is the label that is noise: ours do not overlap.

    >>> UniformSampling(num_frames=8).test(VideoTimes(50, fps=30), num_clips=1)
    [[3, 9, 15, 21, 27, 34, 40, 46]]

    Args:
        num_frames: frames in a clip, T.
    """

    num_frames: int

    def __post_init__(self) -> None:
        check_positive(num_frames=self.num_frames)

    def train(self, video: VideoTimes, generator: torch.Generator) -> list[int]:
        """A random frame of each part: ascending, and none twice where there are enough."""
        draws = torch.rand(self.num_frames, generator=generator, dtype=torch.float64).tolist()
        length = video.stop - video.first
        edges = [video.first + length * i // self.num_frames for i in range(self.num_frames + 1)]
        return [low + int((high - low) * draw) for (low, high), draw in zip(pairwise(edges), draws, strict=True)]

    def test(self, video: VideoTimes, num_clips: int) -> list[list[int]]:
        """`num_clips` clips that all span the video; clip k of K takes each part at (k + 1/2) / K."""
        check_positive(num_clips=num_clips)
        parts = self._parts(video)
        return [
            [low + (high - low) * (2 * clip + 1) // (2 * num_clips) for low, high in parts] for clip in range(num_clips)
        ]

    def _parts(self, video: VideoTimes) -> list[tuple[int, int]]:
        """The official parts; where they would miss a frame that could be had, each part is one frame."""
        if video.stop - video.first <= self.num_frames:
            frames = [video.first + (video.stop - video.first) * i // self.num_frames for i in range(self.num_frames)]
            return [(frame, frame) for frame in frames]
        length = (video.stop - video.first - 1) / self.num_frames
        edges = [video.first + round(length * i) for i in range(self.num_frames + 1)]
        return list(pairwise(edges))


@dataclass(frozen=True)
class OfficialSampling:
    """TimeSformer's own rule, to reproduce its published numbers: https://github.com/facebookresearch/TimeSformer.

    It differs from the paper's text and from `StrideSampling` in three ways: the clip is `num_frames * frame_stride`
    frames at 30 a second whatever the file's rate; its frames are spread over both ends of that (8x32 is 36.4 apart);
    and a single test clip is the first, several never reach the end.

    >>> OfficialSampling(num_frames=8, frame_stride=32).test(VideoTimes(300, fps=30), num_clips=1)
    [[0, 36, 72, 109, 145, 182, 218, 255]]

    Args:
        num_frames: frames in a clip, T.
        frame_stride: the official `SAMPLING_RATE`, in frames at 30 a second.
    """

    num_frames: int
    frame_stride: int

    def __post_init__(self) -> None:
        check_positive(num_frames=self.num_frames, frame_stride=self.frame_stride)

    def train(self, video: VideoTimes, generator: torch.Generator) -> list[int]:
        """One clip at a random start."""
        return self._clip(video, float(torch.rand((), generator=generator, dtype=torch.float64)))

    def test(self, video: VideoTimes, num_clips: int) -> list[list[int]]:
        """Clip k of K starts at k / K of the way to the last start that fits."""
        check_positive(num_clips=num_clips)
        return [self._clip(video, clip / num_clips) for clip in range(num_clips)]

    def _clip(self, video: VideoTimes, place: float) -> list[int]:
        length = video.stop - video.first
        span = self.num_frames * self.frame_stride * video.fps / 30  # in frames of this file, not always whole
        start = max(length - span, 0) * place
        # torch.linspace in float32 and truncation, because the official code does so.
        indices = torch.linspace(start, start + span - 1, self.num_frames).clamp(0, length - 1).long()
        return (video.first + indices).tolist()


def distinct(clips: Sequence[Sequence[int]]) -> list[list[int]]:
    """The clips, each once: a video no longer than a clip has but one, however many are asked for.

    >>> distinct([[0, 1, 1], [0, 1, 1], [1, 1, 1]])
    [[0, 1, 1], [1, 1, 1]]
    """
    return [list(clip) for clip in dict.fromkeys(map(tuple, clips))]


def _places(num_clips: int) -> list[Fraction]:
    """Evenly from 0 to 1, exactly; a single one is in the middle.

    >>> [str(place) for place in _places(1) + _places(4)]
    ['1/2', '0', '1/3', '2/3', '1']
    """
    check_positive(num_clips=num_clips)
    return [Fraction(clip, num_clips - 1) for clip in range(num_clips)] if num_clips > 1 else [Fraction(1, 2)]
