"""Clips around a frame: what is listed is the middle, and what surrounds it is shown as well."""

from dataclasses import dataclass

import torch

from vidattn.checks import check_positive
from vidattn.data.clips.sampling import VideoTimes


@dataclass(frozen=True)
class KeyFrameSampling:
    """The frames around one of the video's, or of its segment's: `frame_stride` apart, the key frame at place T // 2.

    The key frame lies in the segment; the others may lie outside, and where the file ends its edge repeats. The rule of
    AVA's networks, whose key frames stand a second apart (https://arxiv.org/abs/1812.03982, section 5.1).

    >>> KeyFrameSampling(num_frames=4, frame_stride=2).test(VideoTimes(9, fps=1), num_clips=1)
    [[0, 2, 4, 6]]

    Args:
        num_frames: frames in a clip, T.
        frame_stride: distance between neighbours, in frames (not seconds).
    """

    num_frames: int
    frame_stride: int

    def __post_init__(self) -> None:
        check_positive(num_frames=self.num_frames, frame_stride=self.frame_stride)

    def train(self, video: VideoTimes, generator: torch.Generator) -> list[int]:
        """One clip around a random frame."""
        return self._around(video, video.first + int(torch.randint(video.stop - video.first, (), generator=generator)))

    def test(self, video: VideoTimes, num_clips: int) -> list[list[int]]:
        """Around the middle frames of `num_clips` parts of equal length."""
        check_positive(num_clips=num_clips)
        length = video.stop - video.first
        return [
            self._around(video, video.first + (2 * clip + 1) * length // (2 * num_clips)) for clip in range(num_clips)
        ]

    def _around(self, video: VideoTimes, key: int) -> list[int]:
        frames = (key + (place - self.num_frames // 2) * self.frame_stride for place in range(self.num_frames))
        return [min(max(frame, 0), video.num_frames - 1) for frame in frames]
