"""Detection's way from a list of videos to clips that are evaluated."""

from collections.abc import Sequence

import torch
from torch.utils.data import Dataset

from vidattn.data.boxes.target import PeopleOfClip
from vidattn.data.boxes.transforms import WholePicture
from vidattn.data.boxes.windows import NO_ANSWER, Window
from vidattn.data.clips.dataset import OnError, skippable
from vidattn.data.clips.items import Item, empty_item, item
from vidattn.data.clips.reading import decode_clips
from vidattn.data.clips.sampling import VideoTimes
from vidattn.data.errors import VideoDecodeError
from vidattn.data.readers.opening import Opener, VideoOpener
from vidattn.data.videos.manifest import Video


class WindowViews(Dataset[Item]):
    """One clip an item, always the same: the whole picture, and the frames that its window says.

    Under "skip" a clip that cannot be decoded is an item without views, listed under `skipped`.

    Args:
        videos: that the windows are of.
        windows: the clips.
        image_size: S, in pixels.
        target: what is in them.
        opener: opens the videos, in the process that decodes.
        on_error: "raise" or "skip".
    """

    def __init__(
        self,
        videos: Sequence[Video],
        windows: Sequence[Window],
        image_size: int,
        target: PeopleOfClip,
        opener: Opener | None = None,
        on_error: OnError = "raise",
    ) -> None:
        self.videos = videos
        self.windows = windows
        self.picture = WholePicture(image_size)
        self.target = target
        self.opener = opener or VideoOpener()
        self.on_error = on_error

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, index: int) -> Item:
        number, frames, answers = self.windows[index]
        video, size = self.videos[number], self.picture.size

        def choose(times: VideoTimes) -> list[list[int]]:
            return [[min(frame, times.num_frames - 1) for frame in frames]]

        try:
            chosen, views, _ = decode_clips(video, self.opener, choose, self.picture)
        except VideoDecodeError as error:
            skipped = [(video.path, skippable(error, self.on_error))]
            return empty_item(len(frames), size, self.target.batch([]), skipped)
        target = self.target.encode(video, frames, (size, size))
        # A frame that the list has and the file lacks is the last one again.
        known = [
            answer if frame == real else NO_ANSWER
            for answer, frame, real in zip(answers, frames, chosen[0], strict=True)
        ]
        target["frames"] = torch.tensor(known, dtype=torch.int64)
        return item(views, self.target.batch([target]), video, number, [])
