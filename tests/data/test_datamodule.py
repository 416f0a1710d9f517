import warnings
from pathlib import Path
from types import SimpleNamespace

import pytest
import pytorch_lightning as pl
import torch
from encode import encode_video, numbered_frames
from jsonargparse import ArgumentParser
from torchvision.transforms import v2

from vidattn.data.clips.balance import ClassBalanced
from vidattn.data.clips.sampling import SecondsSampling, StrideSampling
from vidattn.data.clips.transforms import ShortSideJitter
from vidattn.data.datamodule import VideoDataModule
from vidattn.data.made.videos import MotionSet
from vidattn.data.videos.manifest import ManifestError, Video, read_manifest
from vidattn.models.config import VideoTransformerConfig
from vidattn.training.video_classifier import VideoClassifier

SIZE = 64
CLASSES = ["dance", "jump"]


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Ten numbered videos of two classes; lists for all splits, where the test list misses a class and a file."""
    folder = tmp_path_factory.mktemp("set")
    rows = []
    for number in range(10):
        name = CLASSES[number % 2]
        (folder / name).mkdir(exist_ok=True)
        encode_video(folder / name / f"{number}.mp4", numbered_frames(12, SIZE, 80, first=100 * number))
        rows.append(f"{name}/{number}.mp4,{name}")
    (folder / "train.csv").write_text("\n".join(rows))
    (folder / "val.csv").write_text("\n".join(rows[:3]))
    (folder / "test.csv").write_text("\n".join([rows[1], rows[3], "jump/gone.mp4,jump"]))
    return folder


def datamodule(folder, **options):
    defaults = {
        "train": str(folder / "train.csv"),
        "val": str(folder / "val.csv"),
        "test": str(folder / "test.csv"),
        "predict": str(folder / "jump"),
        "image_size": SIZE,
        "train_transforms": [v2.RandomCrop(SIZE)],
        "batch_size": 4,
        "eval_batch_size": 2,
        "num_workers": 0,
    }
    return VideoDataModule(StrideSampling(4, 2), **(defaults | options))


class Recorder(pl.LightningModule):
    """Learns nothing; notes what is in each batch."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.seen = []

    def training_step(self, batch, batch_idx):
        self.seen.append((batch["video_id"].tolist(), batch["video"].sum().item()))
        return self.weight * 0

    def validation_step(self, batch, batch_idx):
        self.seen.append(batch["path"])

    def test_step(self, batch, batch_idx):
        self.seen.append(batch["path"])

    def predict_step(self, batch, batch_idx):
        return batch["path"]

    def configure_optimizers(self):
        _ = self.trainer.estimated_stepping_batches  # makes the loader before the checkpoint is read
        return torch.optim.SGD(self.parameters(), lr=0.1)


def trainer(folder, **options):
    warnings.filterwarnings("ignore", module="pytorch_lightning|lightning")
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "num_sanity_val_steps": 0}
    options = {"accelerator": "cpu", "max_epochs": 1, "enable_checkpointing": "callbacks" in options} | quiet | options
    return pl.Trainer(default_root_dir=folder, **options)


def test_training_batches_hold_every_video_but_the_last_few(folder):
    data = datamodule(folder)
    data.setup("fit")
    batches = list(data.train_dataloader())

    assert len(data.train_dataloader()) == len(batches) == 2  # ten videos, the last two left out
    assert all(batch["video"].shape == (4, 3, 4, SIZE, SIZE) for batch in batches)
    ids = torch.cat([batch["video_id"] for batch in batches])
    assert len(ids.unique()) == 8
    labels = torch.cat([batch["label"] for batch in batches])
    assert torch.equal(labels, ids % 2)


def test_a_training_set_smaller_than_the_batch_is_one_batch(folder):
    batches = list(datamodule(folder, batch_size=64).train_dataloader())

    assert [len(batch["label"]) for batch in batches] == [10]


def test_batches_of_several_clips_a_video_keep_their_size(folder):
    data = datamodule(folder, clips_per_video=2)
    batches = list(data.train_dataloader())

    assert [len(batch["label"]) for batch in batches] == [4] * 5
    ids = torch.cat([batch["video_id"] for batch in batches])
    assert sorted(ids.tolist()) == sorted(list(range(10)) * 2)
    with pytest.raises(ValueError, match="batch_size=4 is not a multiple of clips_per_video=3"):
        datamodule(folder, clips_per_video=3)


def test_a_balanced_epoch_shows_rare_classes_as_often(folder, tmp_path):
    rows = (folder / "train.csv").read_text().splitlines()
    (tmp_path / "rare.csv").write_text("\n".join([*rows[::2], rows[1]]))  # five of one class, one of the other
    data = datamodule(folder, train=str(tmp_path / "rare.csv"), root=str(folder), balance=ClassBalanced(), batch_size=6)
    (batch,) = data.train_dataloader()

    assert batch["label"].sum() == 3
    rare = batch["video"][batch["label"] == 1]
    assert len(rare) == 3
    assert not (torch.equal(rare[0], rare[1]) and torch.equal(rare[1], rare[2]))
    assert data.train_dataloader().dataset.order is not None  # what replaces a broken video is balanced as well


def test_processes_share_the_steps_of_one_process(folder):
    def steps(world_size, rank, batch_size):
        data = datamodule(folder, batch_size=batch_size)
        data.trainer = SimpleNamespace(world_size=world_size, global_rank=rank)
        loader = data.train_dataloader()
        batches = [set(batch["video_id"].tolist()) for batch in loader]
        assert len(loader) == len(batches)
        return batches

    shared = [first | second for first, second in zip(steps(2, 0, 2), steps(2, 1, 2), strict=True)]
    assert shared == steps(1, 0, 4)


def test_processes_evaluate_each_video_once(folder):
    seen = []
    for rank in range(4):
        data = datamodule(folder)
        data.trainer = SimpleNamespace(world_size=4, global_rank=rank)
        seen += [path for batch in data.val_dataloader() for path in batch["path"]]

    assert sorted(seen) == sorted(video.path for video in datamodule(folder).manifest("val").videos)


def test_evaluation_batches_hold_every_view_of_every_video_once(folder):
    data = datamodule(folder, num_val_clips=2, num_val_crops=3)
    batches = list(data.val_dataloader())

    assert [len(batch["video"]) for batch in batches] == [12, 6]
    assert torch.cat([batch["video_id"] for batch in batches]).tolist() == sorted(list(range(3)) * 6)
    assert batches[0]["view"].tolist() == list(range(6)) * 2


def test_labels_are_those_of_the_training_list_in_every_split(folder):
    data = datamodule(folder)
    with pytest.warns(UserWarning, match=r"test\.csv: 1 of 3 listed videos do not exist .*1 of jump.*gone"):
        data.setup("test")

    assert data.class_names == CLASSES
    assert data.num_videos("test") == 2
    batch = next(iter(data.test_dataloader()))
    assert batch["label"].tolist() == [1] * 6  # "jump" is the only class there, and still 1


def test_a_split_with_one_class_each_is_multi_label_where_training_is(folder, tmp_path):
    (tmp_path / "train.csv").write_text("path,labels,start,end,start_frame,end_frame\ndance/0.mp4,dance;jump,,,,\n")
    (tmp_path / "val.csv").write_text("dance/0.mp4,dance\n")
    data = datamodule(folder, train=str(tmp_path / "train.csv"), val=str(tmp_path / "val.csv"), root=str(folder))
    data.setup("fit")

    assert next(iter(data.val_dataloader()))["label"].tolist() == [[1.0, 0.0]]


def test_given_class_names_win(folder):
    data = datamodule(folder, class_names=["jump", "dance"])

    assert data.class_names == ["jump", "dance"]
    assert [video.label for video in data.manifest("val").videos] == [1, 0, 1]


def test_a_class_that_training_lacks_is_an_error(folder, tmp_path):
    (tmp_path / "val.csv").write_text("jump/1.mp4,leap")

    with pytest.raises(ManifestError, match="'leap' is none of them"):
        datamodule(folder, val=str(tmp_path / "val.csv"), root=str(folder)).setup("fit")


@pytest.mark.parametrize("num_workers", [0, 2])
def test_lightning_runs_every_stage(folder, num_workers):
    data = datamodule(folder, num_workers=num_workers)
    model = Recorder()
    runner = trainer(folder)
    runner.fit(model, data)
    assert len(model.seen) == 2 + 2
    runner.test(model, data, verbose=False)
    assert model.seen[4:] == [[str(folder / "jump" / f"{number}.mp4") for number in (1, 3)]]
    answers = runner.predict(model, data)
    assert sum(answers, []) == [str(folder / "jump" / f"{number}.mp4") for number in (1, 3, 5, 7, 9)]  # noqa: RUF017


def test_training_draws_do_not_depend_on_the_workers(folder):
    runs = []
    for num_workers in (0, 2):
        model = Recorder()
        trainer(folder, max_epochs=2, limit_val_batches=0).fit(model, datamodule(folder, num_workers=num_workers))
        runs.append(model.seen)

    assert runs[0] == runs[1]
    assert runs[0][:2] != runs[0][2:]  # the second epoch is another


def test_a_run_resumed_after_any_step_goes_on_as_if_it_had_never_stopped(folder, tmp_path):
    def fit(num_workers, callbacks=(), **options):
        model = Recorder()
        runner = trainer(tmp_path, max_epochs=2, limit_val_batches=0, callbacks=list(callbacks))
        runner.fit(model, datamodule(folder, num_workers=num_workers, batch_size=3), **options)
        return model.seen

    keep_all = pl.callbacks.ModelCheckpoint(tmp_path, filename="{step}", every_n_train_steps=1, save_top_k=-1)
    whole = fit(2, [keep_all])
    assert len(whole) == 6

    for steps, num_workers in [(1, 0), (2, 2), (3, 2), (4, 0), (5, 2)]:
        checkpoint = tmp_path / f"step={steps}.ckpt"
        assert fit(num_workers, ckpt_path=checkpoint, weights_only=False) == whole[steps:], steps


def test_a_run_without_validation_needs_no_list_for_it(folder):
    model = Recorder()
    trainer(folder).fit(model, datamodule(folder, val=None))

    assert len(model.seen) == 2


def test_a_stage_without_videos_says_what_to_set(folder):
    with pytest.raises(ValueError, match=r"data\.test is not set"):
        datamodule(folder, test=None).setup("test")
    with pytest.raises(ValueError, match=r"set data\.class_names, or data\.train"):
        _ = VideoDataModule(StrideSampling(4, 2)).class_names


def test_what_the_checkpoint_stores_are_plain_types(folder):
    data = datamodule(folder, num_test_clips=2)

    assert data.view_spec == "2x3"
    assert data.preprocessing.to_dict() == {
        "sampling": {
            "class_path": "vidattn.data.StrideSampling",
            "init_args": {"num_frames": 4, "frame_stride": 2},
        },
        "image_size": 64,
    }


def test_a_set_to_be_made_is_written_before_the_run_and_gives_lists_and_names(tmp_path):
    made = MotionSet(str(tmp_path / "motion"), num_train=2, num_val=1, num_test=1)
    data = VideoDataModule(StrideSampling(4, 2), make=made, image_size=32, num_workers=0, num_test_crops=1)
    data.prepare_data()

    assert data.class_names == made.class_names
    assert [data.num_videos(split) for split in ("train", "val", "test")] == [16, 8, 8]
    for batch in data.test_dataloader():
        named = [data.class_names[label] for label in batch["label"]]
        assert named == [Path(path).parent.name for path in batch["path"]]


def test_every_argument_can_be_written_in_yaml(folder):
    parser = ArgumentParser()
    parser.add_class_arguments(VideoDataModule, "data")
    config = parser.parse_string(f"""
    data:
      lists:
        train: {folder}/train.csv
        class_names: [dance, jump]
      sampling:
        class_path: vidattn.data.SecondsSampling
        init_args: {{num_frames: 4, seconds_between: 0.1}}
      balance:
        class_path: vidattn.data.ClassBalanced
        init_args: {{power: 0.5}}
      views:
        image_size: 32
        train_transforms:
        - class_path: vidattn.data.ShortSideJitter
          init_args: {{low: 36, high: 40}}
        - class_path: torchvision.transforms.v2.RandomCrop
          init_args: {{size: 32}}
        - class_path: torchvision.transforms.v2.RandAugment
      decoding: {{on_error: skip}}
      loading: {{num_workers: 0}}
    """)

    data = parser.instantiate_classes(config).data

    assert data.sampling == SecondsSampling(4, 0.1)
    assert data.balance == ClassBalanced(power=0.5)
    assert [type(transform) for transform in data.train_transforms] == [ShortSideJitter, v2.RandomCrop, v2.RandAugment]
    assert next(iter(data.train_dataloader()))["video"].shape == (8, 3, 4, 32, 32)
    again = parser.parse_string(parser.dump(config))  # Lightning saves the configuration beside the run
    assert again == config


def test_manifests_and_videos_stand_for_lists(folder):
    val = read_manifest(folder / "val.csv", class_names=["jump", "dance"])  # counts its classes the other way round
    videos = [Video(video.path, video.label) for video in read_manifest(folder / "train.csv").videos]
    listed = datamodule(folder)
    data = datamodule(folder, train=iter(videos), val=val, test=videos[1:4:2], class_names=CLASSES)
    data.setup("fit")

    assert data.class_names == CLASSES
    assert data.manifest("train").videos == listed.manifest("train").videos
    assert data.manifest("val").videos == listed.manifest("val").videos
    assert [video.label for video in data.manifest("test").videos] == [1, 1]
    ours, theirs = (next(iter(one.train_dataloader())) for one in (data, listed))
    assert torch.equal(ours["video"], theirs["video"])


def small():
    return VideoTransformerConfig(
        num_classes=2, num_frames=4, image_size=SIZE, patch_size=16, embed_dim=16, depth=1, num_heads=1
    )


def test_a_trainer_fits_on_videos_and_manifests(folder, tmp_path, caplog):
    """The few lines of Python that train on videos of one's own; of mixed clips it is said what is counted."""
    listed = read_manifest(folder / "train.csv")
    data = datamodule(
        folder, train=(video for video in listed.videos), val=listed, test=folder / "test.csv", class_names=CLASSES
    )
    task = VideoClassifier(small(), mixup_alpha=0.8)
    run = trainer(tmp_path)

    with caplog.at_level("INFO"):
        run.fit(task, data)

    assert run.global_step == 2
    assert task.class_names == CLASSES
    assert {"train/loss", "train/top1", "val/loss", "val/video_top1"} <= run.callback_metrics.keys()
    assert "train/top1 of mixed clips counts the label with the larger share of each" in caplog.text


def test_mixing_in_batches_of_one_video_is_refused_before_the_training(folder, tmp_path):
    data = datamodule(folder, batch_size=1)
    task = VideoClassifier(small(), cutmix_alpha=1.0)
    with pytest.raises(ValueError, match=r"batch_size=1 with data\.clips_per_video=1 holds 1; make the batch larger"):
        trainer(tmp_path).fit(task, data)


@pytest.mark.parametrize(
    ("videos", "message"),
    [
        (3, r"data\.train=3 is no source of videos; wanted the path of a list, .*, a Manifest, or videos such as"),
        (["a.mp4"], r"data\.train holds 'a\.mp4', which is no Video; wanted .*Video\('a\.mp4', label=0\)"),
        ([("a.mp4", 0)], r"data\.train holds \('a\.mp4', 0\), which is no Video"),
        ([Video("a.mp4", "cat")], r"data\.train: a\.mp4 has the label 'cat'; wanted a whole number from 0 up, whose n"),
        ([Video("a.mp4", -1)], r"data\.train: a\.mp4 has the label -1; wanted"),
        ([Video("a.mp4", 0), Video("b.mp4", None)], r"data\.train: b\.mp4 has no label, and others have one; give all"),
    ],
)
def test_what_is_no_list_of_videos_is_refused_with_what_would_be(folder, videos, message):
    with pytest.raises(ValueError, match=message):
        datamodule(folder, train=videos)


def test_a_path_stands_for_its_list(folder):
    data = datamodule(folder, train=folder / "train.csv", val=[Video(folder / "jump" / "1.mp4", 1)])
    assert data.sources["train"] == str(folder / "train.csv")
    assert data.manifest("val").videos == [Video(str(folder / "jump" / "1.mp4"), 1)]


def test_videos_without_names_are_of_numbered_classes(folder):
    videos = read_manifest(folder / "train.csv").videos
    assert datamodule(folder, train=videos, val=None).class_names == ["0", "1"]
    with pytest.raises(ManifestError, match=r"data\.val: label 2 is none of the 2 classes, 0 to 1"):
        datamodule(folder, val=[Video("a.mp4", 2)]).setup("fit")
    with pytest.raises(ManifestError, match=r"data\.train holds no videos"):
        datamodule(folder, train=iter([]))
