"""The boxes of a split, and what follows from them: what is trained on, which clips are evaluated, what is true."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from vidattn.data.boxes.box_list import BoxList
from vidattn.data.boxes.video_boxes import VideoBoxes
from vidattn.data.boxes.windows import Window, windows
from vidattn.data.clips.reading import size_of
from vidattn.data.clips.sampling import Sampler, VideoTimes
from vidattn.data.errors import VideoDecodeError
from vidattn.data.readers.opening import Opener
from vidattn.data.videos.manifest import Video
from vidattn.detection.found import FrameTruth
from vidattn.mistakes import Mistake


@dataclass(frozen=True, eq=False)
class BoxSplit:
    """The videos of a split with their boxes. A file is opened only for what its list cannot tell: its length for
    clips that cover it, its rate and size for lists that count seconds or pixels.

    Args:
        videos: of the split.
        boxes: the lists.
        opener: opens a file.
        key_frames: see `vidattn.data.boxes.section.Boxes`.
    """

    videos: Sequence[Video]
    boxes: BoxList
    opener: Opener
    key_frames: bool = False

    @cached_property
    def of_video(self) -> dict[str, VideoBoxes]:
        """The boxes by the path of their video."""
        return {video.path: self.boxes.of_video(video, self._facts) for video in self.videos}

    @cached_property
    def items(self) -> list[Video]:
        """What is trained on: the videos, or each listed frame of them."""
        if not self.key_frames:
            return list(self.videos)
        return [
            replace(video, start=None, end=None, start_frame=frame, end_frame=frame + 1)
            for video in self.videos
            for frame in self._meant(video, self.of_video[video.path].listed_frames)
        ]

    def windows(self, sampling: Sampler, asked: Sequence[int] | None = None) -> list[Window]:
        """The clips that answer for every frame that is evaluated, once each.

        Args:
            sampling: says how long a clip is, and how far its frames lie apart.
            asked: places in a clip that are answered for; all of them by default, and the middle of key frames.

        Raises:
            Mistake: the sampling does not step through frames.
        """
        stride = stride_of(sampling)
        count = sampling.num_frames
        places = sorted(asked) if asked is not None else [count // 2] if self.key_frames else list(range(count))
        found = []
        for number, video in enumerate(self.videos):
            first, stop = self._span(video)
            wanted = self.of_video[video.path].listed_frames if self.key_frames else range(first, stop)
            found += windows(number, wanted, first, stop, count, stride, places)
        return found

    def truth(self) -> list[FrameTruth]:
        """Who is in each frame that is evaluated, also where no one is."""
        found = []
        for video in self.videos:
            there = self.of_video[video.path]
            frames = there.listed_frames if self.key_frames else range(*self._span(video))
            for frame in self._meant(video, frames):
                rows = there.rows_of(frame)
                boxes = there.boxes[rows].clip(0, 1)
                full = (boxes[:, 2:] > boxes[:, :2]).all(-1)
                found.append(
                    FrameTruth(video.path, frame, boxes[full], there.actions[rows][full], there.persons[rows][full])
                )
        return found

    def _meant(self, video: Video, frames: Sequence[int]) -> list[int]:
        """Those of the frames that lie in the part of the file that the list of videos means."""
        if video.segment == (None, None, None, None):
            return list(frames)
        first, stop = self._span(video)
        return [frame for frame in frames if first <= frame < stop]

    def _span(self, video: Video) -> tuple[int, int]:
        """First frame, and one past the last; of a file that does not open the one frame whose reading says why."""
        if self.key_frames and video.segment == (None, None, None, None):
            frames = self.of_video[video.path].frames
            return 0, int(frames.max(initial=0)) + 1 + _BEYOND
        if video not in self._lengths:
            try:
                times = self._times(video)
                self._lengths[video] = (times.first, times.stop)
            except VideoDecodeError:
                self._lengths[video] = (0, 1)
        return self._lengths[video]

    @cached_property
    def _lengths(self) -> dict[Video, tuple[int, int]]:
        return {}

    def _times(self, video: Video) -> VideoTimes:
        with self.opener(video) as opened:
            return VideoTimes(opened.num_frames, opened.fps, opened.times, video.segment)

    def _facts(self, video: Video) -> tuple[VideoTimes, tuple[int, int]]:
        with self.opener(video) as opened:
            height, width = size_of(opened.frames([0]).permute(0, 3, 1, 2))
            return VideoTimes(opened.num_frames, opened.fps, opened.times), (width, height)


_BEYOND = 1 << 20  # frames after the last listed one, which a clip around it may show: the reader knows where it ends


def stride_of(sampling: Sampler) -> int:
    """How far the frames of a clip lie apart.

    Raises:
        Mistake: the rule does not say.
    """
    stride = getattr(sampling, "frame_stride", None)
    if not isinstance(stride, int):
        raise Mistake(
            f"data.sampling={type(sampling).__name__} has no frame_stride, so that nobody can say which clips cover a "
            "video's frames; with data.boxes use vidattn.data.StrideSampling or vidattn.data.KeyFrameSampling"
        )
    return stride
