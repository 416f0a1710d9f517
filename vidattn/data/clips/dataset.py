"""From a list of videos to batches of clips: `TrainClips` for training, `TestViews` for everything else.

Items and batches are dicts with the same keys; V counts the views (clips, or crops of clips) in the item or batch:

| key | |
|---|---|
| `video` | uint8 `(V, 3, T, S, S)`, RGB |
| `label` | int64 `(V,)`, -1 where unknown; of a multi-label list float32 `(V, K)`, 1 for each class of the video |
| `video_id` | int64 `(V,)`, index into the list of videos |
| `view` | int64 `(V,)`, number of the view within its video, clip by clip: `clip * num_crops + crop` |
| `path` | `list[str]`, the file of each video that has views here, in their order |
| `skipped` | `list[tuple[str, str]]`, file and reason of each video that could not be decoded |
| `broken` | `list[str]`, those files of `skipped` that are at fault themselves, and not what they were read with |

`label` is there by default; another `TargetEncoder` has entries of its own in place of it.

What is drawn for an item depends on (seed, epoch, index) alone: not on the number of workers or processes, nor on
what came before. A run that is resumed goes on as if it had never stopped.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset
from torchvision import tv_tensors

from vidattn.data.clips.order import Order, stable_seed
from vidattn.data.clips.sampling import Sampler, VideoTimes
from vidattn.data.clips.target import ClassLabel, Target, TargetEncoder
from vidattn.data.clips.transforms import SpatialCrops
from vidattn.data.errors import PassingError, VideoDecodeError
from vidattn.data.readers.base import VideoReader, check_indices
from vidattn.data.readers.library_errors import library_errors, opening_errors
from vidattn.data.readers.opening import VideoOpener
from vidattn.data.readers.quarantine import QuarantinedError
from vidattn.data.videos.manifest import Video
from vidattn.mistakes import Mistake

OnError = Literal["raise", "skip"]
Item = dict[str, Any]

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
        target: what is to be learnt of a clip; one class a video by default.
        order: draws an order of the videos, of which the first takes the place of a broken one; any by default.
    """

    def __init__(
        self,
        videos: Sequence[Video],
        sampling: Sampler,
        transforms: Sequence[nn.Module],
        image_size: int,
        opener: VideoOpener | None = None,
        on_error: OnError = "raise",
        seed: int = 0,
        clips_per_video: int = 1,
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
        self.clips_per_video = clips_per_video
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
                chosen, clips, _ = _decode_clips(video, self.opener, lambda times: self._draw(times, generator))
                break
            except VideoDecodeError as error:
                skipped.append((video.path, _skippable(error, self.on_error)))
            if len(skipped) == _TRIES:
                reason = f"{skipped[-1][1].reason} (and so for the {_TRIES - 1} videos tried before it)"
                raise VideoDecodeError(video.path, reason)
            index = self._another(generator)
        views, targets = [], []
        for frames, clip in zip(chosen, clips, strict=True):
            target = self.target.encode(video, frames, _size(clip))
            view, target = self._transformed(clip, target, generator)
            views.append(view)
            targets.append(target)
        return _item(views, self.target.batch(targets), video, index, skipped)

    def _another(self, generator: torch.Generator) -> int:
        """A video in place of a broken one, as likely as it comes in an epoch."""
        if self.order is not None:
            return self.order(generator)[0]
        return int(torch.randint(len(self.videos), (), generator=generator))

    def _draw(self, times: VideoTimes, generator: torch.Generator) -> list[list[int]]:
        return [self.sampling.train(times, generator) for _ in range(self.clips_per_video)]

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
    """Every view of each video, always the same: `num_clips` over time, `num_crops` of each.

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
        opener: VideoOpener | None = None,
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
            chosen, views, size = _decode_clips(
                video,
                self.opener,
                lambda times: self.sampling.test(times, self.num_clips),
                self.crops,
                self.target.on_picture,
            )
        except VideoDecodeError as error:
            skipped = [(video.path, _skippable(error, self.on_error))]
            return _empty_item(self.sampling.num_frames, self.crops.size, self.target.batch([]), skipped)
        targets = [
            target | moved
            for target in (self.target.encode(video, frames, size) for frames in chosen)
            for moved in self._cropped(_moving(target))
        ]
        return _item(views, self.target.batch(targets), video, index, [])

    def _cropped(self, moving: Target) -> list[Target]:
        """Boxes and masks of a clip in each of its crops."""
        crops = [self.crops.follow(value) for value in moving.values()]
        return [dict(zip(moving, values, strict=True)) for values in zip(*crops, strict=True)] or [
            {} for _ in range(self.crops.num_crops)
        ]


def collate(items: Sequence[Item]) -> Item:
    """Items to one batch: tensors joined along V, lists joined. It is empty (V = 0) where every video was skipped."""
    return {
        key: torch.cat([item[key] for item in items])
        if isinstance(value, Tensor)
        else [entry for item in items for entry in item[key]]
        for key, value in items[0].items()
    }


def _decode_clips(
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
            size = _size(opened.frames(chosen[0][:1]).permute(0, 3, 1, 2)) if sized else (0, 0)
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


def _skippable(error: VideoDecodeError, on_error: OnError) -> VideoDecodeError:
    if on_error != "skip" and not isinstance(error, QuarantinedError):
        raise VideoDecodeError(
            error.path, f"{error.reason}; set on_error: skip to go on without such videos"
        ) from error
    return error


def _told(skipped: Sequence[tuple[str, VideoDecodeError]]) -> Item:
    return {
        "skipped": [(path, error.reason) for path, error in skipped],
        "broken": [path for path, error in skipped if not isinstance(error, PassingError)],
    }


def _item(
    views: list[Tensor],
    targets: dict[str, Any],
    video: Video,
    index: int,
    skipped: Sequence[tuple[str, VideoDecodeError]],
) -> Item:
    """Views `(T, 3, S, S)` of one video, in order, with all that is known of it."""
    return {
        "video": torch.stack([view.transpose(0, 1) for view in views]),
        **targets,
        "video_id": torch.full((len(views),), index),
        "view": torch.arange(len(views)),
        "path": [video.path],
        **_told(skipped),
    }


def _empty_item(
    num_frames: int,
    image_size: int,
    targets: dict[str, Any],
    skipped: Sequence[tuple[str, VideoDecodeError]],
) -> Item:
    none = torch.empty(0, dtype=torch.int64)
    video = torch.empty(0, 3, num_frames, image_size, image_size, dtype=torch.uint8)
    return {"video": video, **targets, "video_id": none, "view": none, "path": [], **_told(skipped)}


def _size(frames: Tensor) -> tuple[int, int]:
    height, width = frames.shape[-2:]
    return height, width


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
