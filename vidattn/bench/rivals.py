"""Other ways to get the same frames out of a video, for `vidattn bench-loader`; each on one thread.

A way takes a path and ascending frame indices and returns `(T, H, W, 3)` uint8. All are written here from what they do;
none is used in training.
"""

from collections.abc import Callable, Sequence

import av
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import Dataset
from torchvision.transforms import v2

from vidattn.data.clips.order import stable_seed
from vidattn.data.clips.sampling import Sampler, VideoTimes
from vidattn.data.readers import open_video
from vidattn.data.videos.manifest import Video

Way = Callable[[str, Sequence[int]], Tensor]

MEAN, STD = 0.45, 0.225  # of the official code, all channels


def ours(path: str, indices: Sequence[int]) -> Tensor:
    """`PyAVReader`: groups of pictures jumped over, pictures that nothing refers to skipped, early stop."""
    with open_video(path) as video:
        return video.frames(indices)


def decord(path: str, indices: Sequence[int]) -> Tensor:
    """decord as its users call it."""
    from decord import VideoReader, cpu

    return torch.from_numpy(VideoReader(path, ctx=cpu(0), num_threads=1).get_batch(list(indices)).asnumpy())


def torchcodec(path: str, indices: Sequence[int]) -> Tensor:
    """torchcodec in its exact mode, the default."""
    from torchcodec.decoders import VideoDecoder

    decoder = VideoDecoder(path, seek_mode="exact", num_ffmpeg_threads=1, dimension_order="NHWC")
    return decoder.get_frames_at(list(indices)).data


def sequential(path: str, indices: Sequence[int]) -> Tensor:
    """PyAV from the start to the last wanted frame; only wanted frames become RGB."""
    wanted, last = set(indices), max(indices)
    images = {}
    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.thread_type, stream.codec_context.thread_count = "NONE", 1
        for number, frame in enumerate(container.decode(stream)):
            if number in wanted:
                images[number] = frame.to_ndarray(format="rgb24")
            if number == last:
                break
    return torch.from_numpy(np.stack([images[index] for index in indices]))


def official(path: str, indices: Sequence[int]) -> Tensor:
    """As TimeSformer's repository does: seek before the clip, make RGB of every frame of its span, then pick."""
    first, last = min(indices), max(indices)
    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.thread_type, stream.codec_context.thread_count = "NONE", 1
        assert stream.average_rate is not None
        assert stream.time_base is not None
        tick = 1 / (stream.average_rate * stream.time_base)  # of one frame
        origin = stream.start_time or 0
        begin, end = origin + round((first - 0.5) * tick), origin + round((last + 0.5) * tick)
        container.seek(max(begin, 0), stream=stream, backward=True, any_frame=False)
        span = {}  # by time: they may come out of order
        for frame in container.decode(stream):
            if frame.pts is not None and frame.pts > end:
                break
            if frame.pts is not None and frame.pts >= begin:
                span[frame.pts] = frame.to_rgb().to_ndarray()
    held = np.stack([span[pts] for pts in sorted(span)])
    places = np.linspace(0, len(held) - 1, len(indices)).round().astype(int)
    return torch.from_numpy(held[places])


WAYS: dict[str, Way] = {
    "ours": ours,
    "torchcodec": torchcodec,
    "decord": decord,
    "sequential": sequential,
    "official way": official,
}
"""By the name in the table."""


class RivalClips(Dataset[tuple[Tensor, int]]):
    """Training clips as a rival makes them: decoded in one of the `WAYS`, ready for the network in float32.

    Args:
        videos: what to draw from, over and over.
        way: how frames are decoded.
        pixels: uint8 `(T, 3, H, W)` to float `(T, 3, size, size)`.
        sampling: which frames make a clip.
    """

    def __init__(self, videos: Sequence[Video], way: Way, pixels: Callable[[Tensor], Tensor], sampling: Sampler):
        self.videos, self.way, self.pixels, self.sampling = videos, way, pixels, sampling
        self.times = {video.path: _times(video) for video in videos}

    def __len__(self) -> int:
        return len(self.videos)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        video = self.videos[index]
        generator = torch.Generator().manual_seed(stable_seed(0, index))
        clip = self.way(video.path, self.sampling.train(self.times[video.path], generator))
        return self.pixels(clip.permute(0, 3, 1, 2)).transpose(0, 1), index


def torchvision_pixels(size: int) -> Callable[[Tensor], Tensor]:
    """torchvision's v2: jitter of the short side, crop, to float, normalise."""
    return v2.Compose(
        [
            v2.Lambda(lambda clip: v2.functional.resize(clip, [jitter(size)], antialias=True)),
            v2.RandomCrop(size),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize([MEAN] * 3, [STD] * 3),
        ]
    )


def official_pixels(size: int) -> Callable[[Tensor], Tensor]:
    """The official float path: to float and normalise first, then jitter and crop."""
    crop = v2.RandomCrop(size)

    def pixels(clip: Tensor) -> Tensor:
        clip = (clip.float() / 255 - MEAN) / STD
        short = min(clip.shape[-2:])
        sides = [int(side * jitter_size / short) for jitter_size in [jitter(size)] for side in clip.shape[-2:]]
        return crop(F.interpolate(clip, sides, mode="bilinear", align_corners=False))

    return pixels


def jitter(size: int) -> int:
    """A short side from 256 to 320 at size 224, in proportion else."""
    return int(torch.randint(round(size * 256 / 224), round(size * 320 / 224) + 1, ()))


def _times(video: Video) -> VideoTimes:
    with open_video(video.path) as opened:
        return VideoTimes(opened.num_frames, opened.fps, opened.times)
