"""From a list of videos to batches of clips: `TrainClips` for training, `TestViews` for everything else.

What is drawn for an item depends on (seed, epoch, index) alone: not on the number of workers or processes, nor on
what came before. A run that is resumed goes on as if it had never stopped.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset
from torchvision import tv_tensors

from vidattn.data.clips.items import Item, empty_item, item
from vidattn.data.clips.order import Order, stable_seed
from vidattn.data.clips.reading import decode_clips, size_of
from vidattn.data.clips.sampling import Sampler, VideoTimes, distinct
from vidattn.data.clips.target import ClassLabel, Target, TargetEncoder
from vidattn.data.clips.transforms import SpatialCrops
from vidattn.data.errors import VideoDecodeError
from vidattn.data.readers.opening import Opener, VideoOpener
from vidattn.data.readers.quarantine import QuarantinedError
from vidattn.data.videos.manifest import Video
from vidattn.mistakes import Mistake

OnError = Literal["raise", "skip"]

_TRIES = 20  # broken videos in a row before training gives up: by then it is the dataset, not a file


class TrainClips(Dataset[Item]):
    """Random clips of each video; an index is `(epoch, index)`, `(epoch, index, visit)`, or `index` for epoch 0.

    Args:
        videos: what to draw from.
        sampling: which frames make a clip.
        transforms: run in turn on a uint8 `tv_tensors.Image` `(T, 3, H, W)`, and on the boxes and masks of its target
            where it has some; the last must leave `(T, 3, image_size, image_size)`.
        image_size: S, in pixels.
        opener: opens the videos, in the process that decodes.
        on_error: a video that cannot be decoded stops the run ("raise"), or another one takes its place and it is
            listed under `skipped` ("skip").
        seed: decides all that is drawn, together with epoch, index and visit.
        clips_per_video: clips of a video in one item, each drawn and transformed by itself, from one decoding
            ("repeated augmentation": https://arxiv.org/abs/1901.09335).
        crops_per_clip: times that each of those clips is transformed; the views of a clip follow one another.
        target: what is to be learnt of a clip; one class a video by default.
        order: draws an order of the videos, of which the first takes the place of a broken one; any by default.
    """

    def __init__(
        self,
        videos: Sequence[Video],
        sampling: Sampler,
        transforms: Sequence[nn.Module],
        image_size: int,
        opener: Opener | None = None,
        on_error: OnError = "raise",
        seed: int = 0,
        clips_per_video: int = 1,
        crops_per_clip: int = 1,
        target: TargetEncoder | None = None,
        order: Order | None = None,
    ) -> None:
        self.videos = videos
        self.sampling = sampling
        self.transforms = transforms
        self.image_size = image_size
        self.opener = opener or VideoOpener()
        self.on_error = on_error
        self.seed = seed
        self.clips_per_video, self.crops_per_clip = clips_per_video, crops_per_clip
        self.target = target or ClassLabel()
        self.order = order

    def __len__(self) -> int:
        return len(self.videos)

    def __getitem__(self, key: int | tuple[int, ...]) -> Item:
        epoch, index, *visit = key if isinstance(key, tuple) else (0, key)
        generator = torch.Generator().manual_seed(stable_seed(self.seed, epoch, index, *visit))
        skipped: list[tuple[str, VideoDecodeError]] = []
        while True:
            video = self.videos[index]
            try:
                chosen, clips, _ = decode_clips(video, self.opener, lambda times: self._draw(times, generator))
                break
            except VideoDecodeError as error:
                skipped.append((video.path, skippable(error, self.on_error)))
            if len(skipped) == _TRIES:
                reason = f"{skipped[-1][1].reason} (and so for the {_TRIES - 1} videos tried before it)"
                raise VideoDecodeError(video.path, reason)
            index = self._another(generator)
        views, targets = [], []
        for frames, clip in zip(chosen, clips, strict=True):
            target = self.target.encode(video, frames, size_of(clip))
            view, target = self._transformed(clip, target, generator)
            views.append(view)
            targets.append(target)
        return item(views, self.target.batch(targets), video, index, skipped)

    def _another(self, generator: torch.Generator) -> int:
        """A video in place of a broken one, as likely as it comes in an epoch."""
        if self.order is not None:
            return self.order(generator)[0]
        return int(torch.randint(len(self.videos), (), generator=generator))

    def _draw(self, times: VideoTimes, generator: torch.Generator) -> list[list[int]]:
        clips = [self.sampling.train(times, generator) for _ in range(self.clips_per_video)]
        return [clip for clip in clips for _ in range(self.crops_per_clip)]

    def _transformed(self, clip: Tensor, target: Target, generator: torch.Generator) -> tuple[Tensor, Target]:
        moved = _moving(target)
        with _transform_seed(int(torch.randint(2**62, (), generator=generator))):
            # Not tv_tensors.Video: v2 passes those by in silence where it has no kernel for them (RandomGrayscale).
            clip = tv_tensors.Image(clip)
            for transform in self.transforms:
                if moved:
                    clip, *values = transform(clip, *moved.values())
                    moved = dict(zip(moved, values, strict=True))
                else:
                    clip = transform(clip)
        if clip.shape[1:] != (3, self.image_size, self.image_size):
            raise Mistake(
                f"train_transforms left {'x'.join(map(str, clip.shape[1:]))} but image_size={self.image_size} needs "
                f"3x{self.image_size}x{self.image_size}; end them with RandomCrop({self.image_size})"
            )
        return clip.as_subclass(Tensor), target | moved


class TestViews(Dataset[Item]):
    """Every view of each video, always the same: `num_clips` over time, `num_crops` of each, or fewer where some would
    be the same (of a video that is short, or square).

    The frames of all clips are decoded together, each once, and shared by the crops. Under "skip" a video that cannot
    be decoded is an item without views, listed under `skipped`.

    Args:
        videos: what to go through.
        sampling: which frames make a clip.
        num_clips: clips of a video.
        num_crops: crops of a clip; see `SpatialCrops`.
        image_size: S, in pixels.
        opener: opens the videos, in the process that decodes.
        on_error: "raise" or "skip".
        target: what is to be learnt of a clip; one class a video by default.
    """

    __test__ = False  # its name looks like a test to pytest

    def __init__(
        self,
        videos: Sequence[Video],
        sampling: Sampler,
        num_clips: int,
        num_crops: int,
        image_size: int,
        opener: Opener | None = None,
        on_error: OnError = "raise",
        target: TargetEncoder | None = None,
    ) -> None:
        self.videos = videos
        self.sampling = sampling
        self.num_clips = num_clips
        self.crops = SpatialCrops(image_size, num_crops)
        self.opener = opener or VideoOpener()
        self.on_error = on_error
        self.target = target or ClassLabel()

    def __len__(self) -> int:
        return len(self.videos)

    def __getitem__(self, index: int) -> Item:
        video = self.videos[index]
        try:
            chosen, views, size = decode_clips(
                video,
                self.opener,
                lambda times: distinct(self.sampling.test(times, self.num_clips)),
                self.crops,
                self.target.on_picture,
            )
        except VideoDecodeError as error:
            skipped = [(video.path, skippable(error, self.on_error))]
            return empty_item(self.sampling.num_frames, self.crops.size, self.target.batch([]), skipped)
        targets = [
            target | moved
            for target in (self.target.encode(video, frames, size) for frames in chosen)
            for moved in self._cropped(_moving(target), len(views) // len(chosen))
        ]
        return item(views, self.target.batch(targets), video, index, [])

    def _cropped(self, moving: Target, count: int) -> list[Target]:
        """Boxes and masks of a clip in each of its `count` crops."""
        crops = [self.crops.follow(value) for value in moving.values()]
        return [dict(zip(moving, values, strict=True)) for values in zip(*crops, strict=True)] or [
            {} for _ in range(count)
        ]


def skippable(error: VideoDecodeError, on_error: OnError) -> VideoDecodeError:
    """The error, where the video may be left out.

    Raises:
        VideoDecodeError: it may not.
    """
    if on_error != "skip" and not isinstance(error, QuarantinedError):
        raise VideoDecodeError(
            error.path, f"{error.reason}; set on_error: skip to go on without such videos"
        ) from error
    return error


def _moving(target: Target) -> Target:
    """The entries that lie on the picture: boxes and masks."""
    return {name: value for name, value in target.items() if isinstance(value, tv_tensors.TVTensor)}


@contextmanager
def _transform_seed(seed: int) -> Iterator[None]:
    """Torch's global generator, which the transforms draw from, starts at `seed` and is put back afterwards."""
    with torch.random.fork_rng(devices=[]):
        # Not torch.manual_seed: it would reseed the accelerator as well, and dropout with it.
        torch.default_generator.manual_seed(seed)
        yield
