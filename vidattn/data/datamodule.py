"""Everything a Lightning run needs to know of its data, in one class whose arguments are the YAML keys."""

import os
from functools import partial
from typing import TYPE_CHECKING

import pytorch_lightning as pl
from pytorch_lightning.utilities import rank_zero_warn
from torch import nn
from torch.utils.data import DataLoader

from vidattn.data.clips.balance import Balance
from vidattn.data.clips.dataset import OnError, TestViews, TrainClips
from vidattn.data.clips.loader import EpochSampler, OnceEachSampler, Order, ResumableLoader
from vidattn.data.clips.sampling import Sampler
from vidattn.data.clips.shard_order import ShardOrder
from vidattn.data.clips.target import ClassLabel, ClassLabels, TargetEncoder
from vidattn.data.clips.transforms import default_train_transforms
from vidattn.data.made.videos import SyntheticSet
from vidattn.data.parts import Decoding, Loading, check_together
from vidattn.data.readers.quarantine import Quarantine
from vidattn.data.videos.manifest import Manifest
from vidattn.data.videos.splits import Source, Split, Splits
from vidattn.preprocessing import Preprocessing, SamplingRule
from vidattn.public import public_path

if TYPE_CHECKING:
    Listed = Source
else:
    # A command line gives text. Were it told of the other kinds, it would read a list's file as a configuration of one.
    Listed = str


class VideoDataModule(pl.LightningDataModule):
    """Loaders of clips for training, validation, test and prediction; see `vidattn.data.clips.dataset` for a batch.

    Labels are those of the training list (or of `class_names`) in every split but that to classify.

    Args:
        sampling: which frames make a clip, a class of `vidattn.data` or your own.
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
        make: a set of videos that this package draws itself. It is written before the run starts, and its lists are the
            defaults of `train`, `val` and `test`.
        image_size: side of the square clips in pixels.
        train_transforms: run in turn on uint8 `(T, 3, H, W)` training clips, ending at `image_size`;
            `default_train_transforms(image_size)` by default.
        batch_size: training clips per process and step.
        clips_per_video: training clips of each video that is decoded, all in one batch; `batch_size` is a multiple.
        balance: which videos come more often than others in training, a class of `vidattn.data` or your own;
            each once per epoch by default.
        eval_batch_size: videos (each with all its views) per process and step of validation, test and prediction.
        num_workers: processes that decode, for each training process; 0 decodes in the training process.
        shuffle_buffer: training videos out of shards are mixed among so many; see `ShardOrder`.
        reader: `pyav`, `decord`, `torchcodec`, or `torchcodec_cuda` (on the GPU, with `num_workers: 0`).
        on_error: what a video that cannot be decoded does: `raise`, or `skip` (and list it in the batch). By default
            a prediction skips, for the others' sake, and everything else raises.
        decode_timeout: seconds after which opening or decoding a video is tried once more and then given up, as if it
            could not be decoded; None waits for ever (and saves the process that each data worker needs for it).
        quarantine: list of videos that are not opened but skipped; under `on_error: skip` a run adds to it what it
            cannot decode. A file that has changed since counts as good again. See `Quarantine`.
        index: `index.json` of `vidattn check`: files then open without being read through (or decoded, where their
            frames must be counted: MPEG-4 in AVI), and files in which seeking goes wrong are decoded from their start.
        num_val_clips: clips of a video in validation, evenly over time.
        num_val_crops: crops of each clip in validation.
        num_test_clips: clips of a video in test and prediction.
        num_test_crops: crops of each clip in test and prediction.
        seed: decides the order and everything else that is drawn in training.
        target: what is to be learnt of a clip, see `vidattn.data.TargetEncoder`; the lists' labels by default.
    """

    def __init__(
        self,
        sampling: Sampler,
        train: Listed | None = None,
        val: Listed | None = None,
        test: Listed | None = None,
        predict: Listed | None = None,
        root: str | None = None,
        class_names: list[str] | str | None = None,
        folder_fps: float = 30.0,
        multi_label: bool = False,
        make: SyntheticSet | None = None,
        image_size: int = 224,
        train_transforms: list[nn.Module] | None = None,
        batch_size: int = 8,
        clips_per_video: int = 1,
        balance: Balance | None = None,
        eval_batch_size: int = 4,
        num_workers: int = min(4, os.cpu_count() or 1),
        shuffle_buffer: int = 1000,
        reader: str = "pyav",
        on_error: OnError | None = None,
        decode_timeout: float | None = 60.0,
        quarantine: str | None = None,
        index: str | None = None,
        num_val_clips: int = 1,
        num_val_crops: int = 1,
        num_test_clips: int = 1,
        num_test_crops: int = 3,
        seed: int = 0,
        target: TargetEncoder | None = None,
    ) -> None:
        super().__init__()
        # With fewer videos than processes, some processes have nothing to evaluate.
        self.allow_zero_length_dataloader_with_multiple_devices = True
        self.sampling = sampling
        self.make = make
        lists = {name: os.path.join(make.folder, f"{name}.csv") for name in ("train", "val", "test")} if make else {}
        sources: dict[Split, Source | None] = {
            "train": train or lists.get("train"),
            "val": val or lists.get("val"),
            "test": test or lists.get("test"),
            "predict": predict,
        }
        names = make.class_names if make and class_names is None else class_names
        self.splits = Splits(sources, root, names, folder_fps, multi_label, rank_zero_warn)
        self.sources = self.splits.sources
        self.image_size = image_size
        self.train_transforms = default_train_transforms(image_size) if train_transforms is None else train_transforms
        self.decoding = Decoding(reader, on_error, decode_timeout, quarantine, index)
        self.loading = Loading(batch_size, clips_per_video, eval_batch_size, num_workers, shuffle_buffer)
        check_together(self.decoding, self.loading)
        self.balance = balance
        self.num_val_clips = num_val_clips
        self.num_val_crops = num_val_crops
        self.num_test_clips = num_test_clips
        self.num_test_crops = num_test_crops
        self.seed = seed
        self.target = target
        self._train_loader: ResumableLoader | None = None
        self._resume: dict[str, int] | None = None

    # What the model and the scorecard ask for.

    @property
    def class_names(self) -> list[str]:
        """Names in the order of their labels.

        Raises:
            ValueError: neither `class_names` nor a list with labels is given.
        """
        return self.splits.class_names

    @property
    def view_spec(self) -> str:
        """Test views as the literature writes them, clips x crops: "1x3"."""
        return f"{self.num_test_clips}x{self.num_test_crops}"

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

    # What Lightning calls.

    def prepare_data(self) -> None:
        """Writes the set to be made, if there is one (once per machine); prediction does not need it."""
        predicting = self.trainer is not None and self.trainer.state.fn == "predict"
        if self.make is not None and not predicting:
            self.make.write()

    def setup(self, stage: str) -> None:
        """Reads the lists of the stage ("fit", "validate", "test" or "predict"), so that mistakes in them show now."""
        stages: dict[str, list[Split]] = {
            "fit": ["train", "val"],
            "validate": ["val"],
            "test": ["test"],
            "predict": ["predict"],
        }
        for split in stages[stage]:
            if split != "val" or stage == "validate" or self.sources["val"]:
                self.manifest(split)

    def train_dataloader(self) -> DataLoader:
        """Batches of `batch_size` random clips; see `EpochSampler` for their order."""
        world_size, rank = self._processes()
        num_videos = self.num_videos("train")
        # The last, smaller batch is left out, unless it is the only one.
        videos_per_batch = self.loading.videos_per_batch
        drop_last = num_videos // world_size >= videos_per_batch
        clips = TrainClips(
            self.manifest("train").videos,
            self.sampling,
            self.train_transforms,
            self.image_size,
            self.decoding.opener(),
            self.decoding.on_error or "raise",
            self.seed,
            self.loading.clips_per_video,
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
        return self._views("val", self.num_val_clips, self.num_val_crops) if self.sources["val"] else []

    def test_dataloader(self) -> DataLoader:
        """Batches of `eval_batch_size` videos with all their views."""
        return self._views("test", self.num_test_clips, self.num_test_crops)

    def predict_dataloader(self) -> DataLoader:
        """Batches of `eval_batch_size` videos with all their views, as in the test."""
        return self._views("predict", self.num_test_clips, self.num_test_crops)

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
        videos = self.manifest(split).videos
        views = TestViews(
            videos,
            self.sampling,
            num_clips,
            num_crops,
            self.image_size,
            self.decoding.opener(),
            self.decoding.on_error or ("skip" if split == "predict" else "raise"),
            self._target(split),
        )
        sampler = OnceEachSampler(len(videos), *self._processes())
        # Lightning rebuilds this loader for prediction, and for that needs its arguments by name.
        return DataLoader(views, batch_size=self.loading.eval_batch_size, sampler=sampler, **self.loading.options())

    def _balanced_order(self) -> Order | None:
        return partial(self.balance.draw, self.manifest("train").videos) if self.balance is not None else None

    def _target(self, split: Split) -> TargetEncoder:
        """What the task wants to learn; else the labels as the list has them."""
        if self.target is not None:
            return self.target
        manifest = self.manifest(split)
        return ClassLabels(len(manifest.class_names)) if manifest.multi_label else ClassLabel()

    def _processes(self) -> tuple[int, int]:
        """How many training processes there are, and which is this."""
        return (self.trainer.world_size, self.trainer.global_rank) if self.trainer is not None else (1, 0)
