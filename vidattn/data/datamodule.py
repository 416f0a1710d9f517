"""Everything a Lightning run needs to know of its data, in one class whose arguments are the keys under `data`."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytorch_lightning as pl
from pytorch_lightning.utilities import rank_zero_warn
from torch.utils.data import DataLoader

from vidattn.data.boxes.section import Boxes
from vidattn.data.boxes.splits import BoxSplits
from vidattn.data.boxes.views import WindowViews
from vidattn.data.clips.balance import Balance
from vidattn.data.clips.dataset import TestViews, TrainClips
from vidattn.data.clips.handing_over import Waiting, check_shared_memory
from vidattn.data.clips.order import EpochSampler, OnceEachSampler, Order, ResumableLoader
from vidattn.data.clips.sampling import Sampler
from vidattn.data.clips.shard_order import ShardOrder
from vidattn.data.clips.target import ClassLabel, ClassLabels, TargetEncoder
from vidattn.data.flat_keys import by_part
from vidattn.data.made.videos import SyntheticSet
from vidattn.data.readers.quarantine import Quarantine
from vidattn.data.sections import Decoding, Lists, Loading, Views, check_together, of_boxes
from vidattn.data.videos.manifest import Manifest, Video
from vidattn.data.videos.splits import Split
from vidattn.mistakes import Mistake
from vidattn.preprocessing import Preprocessing, SamplingRule
from vidattn.public import public_path

if TYPE_CHECKING:
    from vidattn.detection.found import FrameTruth


class VideoDataModule(pl.LightningDataModule):
    """Loaders of clips for training, validation, test and prediction; see `vidattn.data.clips.items` for a batch.

    Every other name that a part has may also stand here by itself, `batch_size=8` for `loading=Loading(batch_size=8)`,
    as in the YAMLs of before there were parts; see `vidattn.data.flat_keys`.

    Args:
        sampling: which frames make a clip, a class of `vidattn.data` or your own.
        lists: which videos each split has.
        views: what the network sees of a clip.
        decoding: which reader opens the videos, and what becomes of those that it cannot read.
        loading: how many clips make a batch, and how many processes decode them.
        boxes: who is where: with a list of boxes, classes are those of its labels, batches hold `people` in place of
            `label` (see `vidattn.data.boxes.people`), and evaluation sees whole pictures, in clips that answer for
            each frame once (`views.num_*` do not count).
        make: a set of videos that this package draws itself. It is written before the run starts, and its lists are the
            defaults of `train`, `val` and `test`.
        balance: which videos come more often than others in training, a class of `vidattn.data` or your own;
            each once per epoch by default.
        seed: decides the order and everything else that is drawn in training.
        target: what is to be learnt of a clip, see `vidattn.data.TargetEncoder`; the lists' labels by default.
        named: what is to be different in the parts, by the names in them.

    Raises:
        ValueError: a value is not possible, or no part has such a name.
    """

    def __init__(
        self,
        sampling: Sampler,
        lists: Lists = Lists(),
        views: Views = Views(),
        decoding: Decoding = Decoding(),
        loading: Loading = Loading(),
        boxes: Boxes = Boxes(),
        make: SyntheticSet | None = None,
        balance: Balance | None = None,
        seed: int = 0,
        target: TargetEncoder | None = None,
        **named: Any,
    ) -> None:
        super().__init__()
        # With fewer videos than processes, some processes have nothing to evaluate.
        self.allow_zero_length_dataloader_with_multiple_devices = True
        changes = by_part(named)
        self.lists = replace(lists, **changes["lists"])
        self.views = replace(views, **changes["views"])
        self.decoding = replace(decoding, **changes["decoding"])
        self.loading = replace(loading, **changes["loading"])
        check_together(self.decoding, self.loading)
        self.sampling = sampling
        self.make = make
        self.splits = self.lists.splits(make, rank_zero_warn)
        self.sources = self.splits.sources
        boxes = replace(boxes, file=make.boxes) if make is not None and boxes.file is None else boxes
        self.boxes = BoxSplits.of(boxes, self.splits, self.decoding.opener, sampling, rank_zero_warn)
        if self.boxes is not None:
            self.views = of_boxes(self.views)
        self.train_transforms = self.views.transforms()
        self.balance = balance
        self.seed = seed
        self.target = target
        self.asked: Sequence[int] | None = None  # places in a clip, of T, that evaluation answers for; set by the task
        self._train_loader: ResumableLoader | None = None
        self._resume: dict[str, int] | None = None

    # What the model and the scorecard ask for.

    @property
    def class_names(self) -> list[str]:
        """Names in the order of their labels.

        Raises:
            ValueError: neither `class_names` nor a list with labels is given.
        """
        return self.splits.class_names if self.boxes is None else self.boxes.class_names

    @property
    def image_size(self) -> int:
        """Side of the square clips in pixels."""
        return self.views.image_size

    @property
    def view_spec(self) -> str:
        """Test views as the literature writes them, clips x crops: "1x3"."""
        if self.boxes is not None:
            return "every frame once, whole pictures"
        return f"{self.views.num_test_clips}x{self.views.num_test_crops}"

    @property
    def preprocessing(self) -> Preprocessing:
        """What turns a video into uint8 clips; mean and std are the module's."""
        rule = SamplingRule(public_path(type(self.sampling)), dict(vars(self.sampling)))
        return Preprocessing(rule, self.image_size)

    @property
    def reader(self) -> str:
        """The name of the video reader."""
        return self.decoding.reader

    @property
    def quarantine(self) -> Quarantine | None:
        """The list of videos that are not opened; None where there is none."""
        return self.decoding.quarantined

    def num_videos(self, split: Split) -> int:
        """Videos in "train", "val", "test" or "predict"."""
        return len(self.manifest(split).videos)

    def manifest(self, split: Split) -> Manifest:
        """The videos of one split; read once, with a warning where listed files are missing.

        Raises:
            ValueError: the split has no source.
            ManifestError: its source cannot be used.
        """
        return self.splits.manifest(split)

    def truth(self, split: Split) -> "list[FrameTruth]":
        """Who is in each frame that evaluation answers for.

        Raises:
            ValueError: the data has no boxes.
        """
        if self.boxes is None:
            raise Mistake("the data has no boxes; set data.boxes.file to a list of boxes")
        return self.boxes.split(split).truth()

    # What Lightning calls.

    def prepare_data(self) -> None:
        """Writes the set to be made, if there is one (once per machine); prediction does not need it."""
        predicting = self.trainer is not None and self.trainer.state.fn == "predict"
        if self.make is not None and not predicting:
            self.make.write()

    def setup(self, stage: str) -> None:
        """Reads the lists of the stage ("fit", "validate", "test" or "predict"), so that mistakes in them show now.

        Raises:
            ValueError: a list cannot be used, or its batches do not fit into the machine's shared memory.
        """
        stages: dict[str, list[Split]] = {
            "fit": ["train", "val"],
            "validate": ["val"],
            "test": ["test"],
            "predict": ["predict"],
        }
        for split in stages[stage]:
            if split != "val" or stage == "validate" or self.sources["val"]:
                self.manifest(split)
                if self.boxes is not None:
                    self.boxes.split(split)
        used = [split for split in stages[stage] if self.sources[split]]
        processes = self.trainer.num_devices if self.trainer is not None else 1
        check_shared_memory([self._waiting(split) for split in used], self.loading.num_workers, processes)

    def train_dataloader(self) -> DataLoader:
        """Batches of `batch_size` random clips; see `EpochSampler` for their order."""
        world_size, rank = self._processes()
        videos = self._trained_on()
        num_videos = len(videos)
        # The last, smaller batch is left out, unless it is the only one.
        videos_per_batch = self.loading.videos_per_batch
        drop_last = num_videos // world_size >= videos_per_batch
        clips = TrainClips(
            videos,
            self.sampling,
            self.train_transforms,
            self.image_size,
            self.decoding.opener(),
            self.decoding.on_error or "raise",
            self.seed,
            self.loading.clips_per_video,
            self.loading.crops_per_clip,
            self._target("train"),
            self._balanced_order(),
        )
        order = self._balanced_order() or ShardOrder.of(clips.videos, world_size, self.loading.shuffle_buffer)
        sampler = EpochSampler(num_videos, world_size, rank, self.seed, drop_last, order)
        options = self.loading.options()
        self._train_loader = ResumableLoader(
            clips, batch_size=videos_per_batch, sampler=sampler, drop_last=drop_last, **options
        )
        if self._resume is not None:
            self._train_loader.load_state_dict(self._resume)
            self._resume = None
        return self._train_loader

    def val_dataloader(self) -> DataLoader | list[DataLoader]:
        """Batches of `eval_batch_size` videos with all their views; no loader where there is no `val`."""
        return self._views("val", self.views.num_val_clips, self.views.num_val_crops) if self.sources["val"] else []

    def test_dataloader(self) -> DataLoader:
        """Batches of `eval_batch_size` videos with all their views."""
        return self._views("test", self.views.num_test_clips, self.views.num_test_crops)

    def predict_dataloader(self) -> DataLoader:
        """Batches of `eval_batch_size` videos with all their views, as in the test."""
        return self._views("predict", self.views.num_test_clips, self.views.num_test_crops)

    def state_dict(self) -> dict[str, int]:
        """Where training stands within its epoch, for the checkpoint."""
        return self._train_loader.state_dict() if self._train_loader is not None else {}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """Training goes on from there.

        Lightning restores the loader itself as well, but only one that is made after the checkpoint is read: a model
        that asks for `trainer.estimated_stepping_batches` makes it earlier, and the position would be lost.
        """
        self._resume = state_dict or None

    def _views(self, split: Split, num_clips: int, num_crops: int) -> DataLoader:
        opener, on_error = self.decoding.opener(), self.decoding.on_error or ("skip" if split == "predict" else "raise")
        views: WindowViews | TestViews
        if self.boxes is not None:
            views = self.boxes.evaluated(split, self.image_size, opener, on_error, self.asked)
        else:
            videos, target = self.manifest(split).videos, self._target(split)
            views = TestViews(videos, self.sampling, num_clips, num_crops, self.image_size, opener, on_error, target)
        sampler = OnceEachSampler(len(views), *self._processes())
        # Lightning rebuilds this loader for prediction, and for that needs its arguments by name.
        return DataLoader(views, batch_size=self.loading.eval_batch_size, sampler=sampler, **self.loading.options())

    def _waiting(self, split: Split) -> Waiting:
        """What the split's loader may have ready, where pixels are uint8 as decoded."""
        views, loading = self.views, self.loading
        clips, videos = {
            "train": (loading.views_per_video, loading.videos_per_batch),
            "val": (views.num_val_clips * views.num_val_crops, loading.eval_batch_size),
        }.get(split, (views.num_test_clips * views.num_test_crops, loading.eval_batch_size))
        there = self.num_videos(split)
        clip = 3 * self.sampling.num_frames * self.image_size**2
        return Waiting(min(videos, there) * clips * clip, -(-there // videos))

    def _balanced_order(self) -> Order | None:
        return partial(self.balance.draw, self._trained_on()) if self.balance is not None else None

    def _trained_on(self) -> Sequence[Video]:
        """The items of training: videos, or key frames of them."""
        return self.manifest("train").videos if self.boxes is None else self.boxes.split("train").items

    def _target(self, split: Split) -> TargetEncoder:
        """What the task wants to learn; else the labels as the list has them."""
        if self.target is not None:
            return self.target
        if self.boxes is not None:
            return self.boxes.target(split)
        manifest = self.manifest(split)
        return ClassLabels(len(manifest.class_names)) if manifest.multi_label else ClassLabel()

    def _processes(self) -> tuple[int, int]:
        """How many training processes there are, and which is this."""
        return (self.trainer.world_size, self.trainer.global_rank) if self.trainer is not None else (1, 0)
