"""The four sections of a run's data that `VideoDataModule` takes, in the order in which a clip meets them.

Each is the section of the same name under `data` in a YAML, and checks its values when it is made.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from vidattn.data.boxes.transforms import default_box_transforms
from vidattn.data.clips.dataset import OnError
from vidattn.data.clips.frame_cache import CachedOpener, FrameCache
from vidattn.data.clips.handing_over import handed_over
from vidattn.data.clips.items import Item, collate
from vidattn.data.clips.transforms import default_train_transforms
from vidattn.data.made.videos import SyntheticSet
from vidattn.data.readers import READERS
from vidattn.data.readers.frame_index import FrameIndex
from vidattn.data.readers.guarded import LONGEST
from vidattn.data.readers.opening import Opener, VideoOpener
from vidattn.data.readers.quarantine import Quarantine
from vidattn.data.videos.few_labels import FewLabels
from vidattn.data.videos.splits import Source, Split, Splits
from vidattn.mistakes import Mistake

if TYPE_CHECKING:
    Listed = Source
else:
    # A command line gives text. Were it told of the other kinds, it would read a list's file as a configuration of one.
    Listed = str


@dataclass(frozen=True)
class Lists:
    """Which videos each split has, and what they show.

    Labels are those of the training list (or of `class_names`) in every split but that to classify.

    Args:
        train: list, folder or file that `read_manifest` reads, or shards (a path or any URL that fsspec opens) that
            `read_shards` reads; in Python also a `Manifest`, or `Video`s whose labels are numbers. As are the next
            three.
        val: videos for validation.
        test: videos for the test.
        predict: videos to classify; labels are not needed.
        root: folder that the lists' paths start from; each list's own folder by default.
        class_names: names in the order of their labels, or a file of them; those of `train` by default.
        folder_fps: frames per second of videos that are folders of pictures.
        multi_label: a video may have several classes, even if no list shows one that has.
        few_labels: train on so many videos of each class alone; on all by default.

    Raises:
        ValueError: `folder_fps` is not above 0.
    """

    train: Listed | None = None
    val: Listed | None = None
    test: Listed | None = None
    predict: Listed | None = None
    root: str | None = None
    class_names: list[str] | str | None = None
    folder_fps: float = 30.0
    multi_label: bool = False
    few_labels: FewLabels | None = None

    def __post_init__(self) -> None:
        if not self.folder_fps > 0:
            raise Mistake(f"data.folder_fps={self.folder_fps}; expected more than 0 frames per second")

    def splits(self, made: SyntheticSet | None, warn: Callable[[str], object]) -> Splits:
        """What reads them. A set that is made gives the lists and names that are not given here."""
        lists = {name: os.path.join(made.folder, f"{name}.csv") for name in ("train", "val", "test")} if made else {}
        sources: dict[Split, Source | None] = {
            "train": self.train or lists.get("train"),
            "val": self.val or lists.get("val"),
            "test": self.test or lists.get("test"),
            "predict": self.predict,
        }
        names = made.class_names if made and self.class_names is None else self.class_names
        return Splits(sources, self.root, names, self.folder_fps, self.multi_label, self.few_labels, warn)


@dataclass(frozen=True)
class Views:
    """What the network sees of a clip, in training and where it is judged.

    Args:
        image_size: side of the square clips in pixels.
        train_transforms: run in turn on uint8 `(T, 3, H, W)` training clips, ending at `image_size`;
            `default_train_transforms(image_size)` by default.
        num_val_clips: clips of a video in validation, evenly over time.
        num_val_crops: crops of each clip in validation.
        num_test_clips: clips of a video in test and prediction.
        num_test_crops: crops of each clip in test and prediction.

    Raises:
        ValueError: a number is below 1.
    """

    image_size: int = 224
    train_transforms: list[nn.Module] | None = None
    num_val_clips: int = 1
    num_val_crops: int = 1
    num_test_clips: int = 1
    num_test_crops: int = 3

    def __post_init__(self) -> None:
        for name in ("image_size", "num_val_clips", "num_val_crops", "num_test_clips", "num_test_crops"):
            _check_least(self, name, 1)

    def transforms(self) -> list[nn.Module]:
        """Those of training, chosen or by default."""
        return default_train_transforms(self.image_size) if self.train_transforms is None else self.train_transforms


@dataclass(frozen=True)
class Decoding:
    """Which reader opens the videos, and what becomes of those that it cannot read.

    Args:
        reader: `pyav`, `decord`, `torchcodec`, or `torchcodec_cuda` (on the GPU, with `num_workers: 0`).
        on_error: what a video that cannot be decoded does: `raise`, or `skip` (and list it in the batch). By default
            a prediction skips, for the others' sake, and everything else raises.
        decode_timeout: seconds after which opening or decoding a video is tried once more and then given up, as if it
            could not be decoded; None waits for ever (and saves the process that each data worker needs for it).
        quarantine: list of videos that are not opened but skipped; under `on_error: skip` a run adds to it what it
            cannot decode. A file that has changed since counts as good again. See `Quarantine`.
        index: `index.json` of `vidattn check`: files then open without being read through (or decoded, where their
            frames must be counted: MPEG-4 in AVI), and files in which seeking goes wrong are decoded from their start.
        cache: how much of what was decoded is kept in memory; by default nothing.

    Raises:
        ValueError: a value is not possible; or the quarantine's list or the index cannot be read.
    """

    reader: str = "pyav"
    on_error: OnError | None = None
    decode_timeout: float | None = 60.0
    quarantine: str | None = None
    index: str | None = None
    cache: FrameCache | None = None
    quarantined: Quarantine | None = field(init=False, repr=False, compare=False)
    known_frames: FrameIndex | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.reader not in READERS:
            raise Mistake(f"data.reader={self.reader!r} is unknown; choose one of {', '.join(READERS)}")
        if self.decode_timeout is not None and not 0 < self.decode_timeout <= LONGEST:
            raise Mistake(
                f"data.decode_timeout={self.decode_timeout}; expected more than 0 seconds, at most {LONGEST} "
                "(24 days), or null for none"
            )
        quarantine = Quarantine(self.quarantine) if self.quarantine else None
        if quarantine is not None:
            quarantine.read()
        object.__setattr__(self, "quarantined", quarantine)
        object.__setattr__(self, "known_frames", FrameIndex(self.index) if self.index else None)

    def opener(self) -> Opener:
        """A new one, for one loader."""
        opener = VideoOpener(self.reader, self.decode_timeout, self.quarantined, self.known_frames)
        return opener if self.cache is None else CachedOpener(opener, self.cache)


@dataclass(frozen=True)
class Loading:
    """How many clips make a batch, and how many processes decode them.

    Args:
        batch_size: training clips per process and step.
        clips_per_video: training clips of each video that is decoded, all in one batch; `batch_size` is a multiple.
        crops_per_clip: times that each of these clips is transformed anew: views of the very same frames.
        eval_batch_size: videos (each with all its views) per process and step of validation, test and prediction.
        num_workers: processes that decode, for each training process; 0 decodes in the training process.
        shuffle_buffer: training videos out of shards are mixed among so many; see `ShardOrder`.

    Raises:
        ValueError: a number is too small, or does not go with another.
    """

    batch_size: int = 8
    clips_per_video: int = 1
    crops_per_clip: int = 1
    eval_batch_size: int = 4
    num_workers: int = min(4, os.cpu_count() or 1)
    shuffle_buffer: int = 1000

    def __post_init__(self) -> None:
        for name in ("batch_size", "clips_per_video", "crops_per_clip", "eval_batch_size", "shuffle_buffer"):
            _check_least(self, name, 1)
        _check_least(self, "num_workers", 0)
        if self.batch_size % self.views_per_video:
            crops = f" x crops_per_clip={self.crops_per_clip}" if self.crops_per_clip > 1 else ""
            raise Mistake(
                f"batch_size={self.batch_size} is not a multiple of clips_per_video={self.clips_per_video}{crops}"
            )

    @property
    def videos_per_batch(self) -> int:
        """Videos that a training batch is made of."""
        return self.batch_size // self.views_per_video

    @property
    def views_per_video(self) -> int:
        """Training clips of a video, each crop counted."""
        return self.clips_per_video * self.crops_per_clip

    def options(self) -> dict[str, Any]:
        """What every `DataLoader` of the run is given."""
        return {
            "collate_fn": _collate,
            "num_workers": self.num_workers,
            "persistent_workers": self.num_workers > 0,
            "pin_memory": torch.cuda.is_available(),
            # Without its own generator a loader draws from the global one, and would shift the model's dropout.
            "generator": torch.Generator(),
        }


def _collate(items: Sequence[Item]) -> Any:
    return handed_over(collate(items))


def check_together(decoding: Decoding, loading: Loading) -> None:
    """
    Raises:
        ValueError: the reader decodes where data workers cannot.
    """
    if decoding.reader == "torchcodec_cuda" and loading.num_workers > 0:
        raise Mistake(
            f"reader=torchcodec_cuda decodes on the GPU, which num_workers={loading.num_workers} forked data workers "
            "cannot use; set data.num_workers=0"
        )


def of_boxes(views: Views) -> Views:
    """The views of a run whose data has boxes: each clip once, and transforms that keep people in the picture."""
    chosen = views.train_transforms
    return replace(
        views,
        train_transforms=default_box_transforms(views.image_size) if chosen is None else chosen,
        num_val_clips=1,
        num_val_crops=1,
        num_test_clips=1,
        num_test_crops=1,
    )


def _check_least(part: Views | Loading, name: str, least: int) -> None:
    if getattr(part, name) < least:
        raise Mistake(f"data.{name}={getattr(part, name)}; expected {least} or more")
