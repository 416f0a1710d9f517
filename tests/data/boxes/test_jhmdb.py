"""JHMDB: 928 real clips with a box in every frame. `VIDATTN_TEST_DATASETS` names the folder that holds `jhmdb`."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from vidattn.data import Boxes, StrideSampling, VideoDataModule, read_manifest
from vidattn.data.boxes.split import BoxSplit
from vidattn.detection.found import FrameBoxes
from vidattn.detection.frame_map import frame_map
from vidattn.detection.recall import top_box_accuracy


@pytest.fixture(scope="module")
def jhmdb():
    default = Path(__file__).parents[3] / ".." / "shared" / "datasets"
    folder = Path(os.environ.get("VIDATTN_TEST_DATASETS", default)).resolve() / "jhmdb"
    if not (folder / "boxes.csv").is_file():
        pytest.skip("JHMDB is missing: VIDATTN_TEST_DATASETS names no folder that holds it")
    return folder


@pytest.fixture(scope="module")
def boxes(jhmdb):
    return Boxes(str(jhmdb / "boxes.csv")).read()


@pytest.fixture(scope="module")
def truths(jhmdb, boxes):
    def never(video):
        raise AssertionError(f"{video.path} was opened: its list tells all")

    videos = {split: read_manifest(jhmdb / f"{split}.csv").videos for split in ("train", "val", "test")}
    return {split: BoxSplit(listed, boxes, never, key_frames=True).truth() for split, listed in videos.items()}


def test_every_row_is_a_box_of_a_video_that_a_split_has(boxes, truths):
    counts = {split: len(truth) for split, truth in truths.items()}
    assert len(boxes.class_names) == 21
    assert len(boxes.rows) == 928
    assert counts == {"train": 18517, "val": 4195, "test": 9126}
    assert sum(counts.values()) == sum(map(len, boxes.rows.values())) == 31838


def test_one_box_for_all_finds_as_few_as_is_known_of_it(truths):
    """The mean box of the training set with the classes' frequencies: about 1% frame-mAP, 4 of 10 frames' boxes."""
    train, test = truths["train"], truths["test"][::4]
    mean = np.concatenate([one.boxes for one in train]).mean(0, keepdims=True)
    often = np.concatenate([one.actions for one in train]).mean(0, keepdims=True)
    found = [FrameBoxes(one.video, one.frame, mean, often) for one in test]

    assert 0.005 < frame_map(found, test).mean < 0.02
    assert 0.35 < top_box_accuracy(found, test) < 0.41


def test_its_clips_reach_training_and_evaluation_with_their_boxes(jhmdb, tmp_path):
    paths = [video.path for video in read_manifest(jhmdb / "val.csv").videos[::60]]
    (tmp_path / "val.csv").write_text("".join(f"{line}\n" for line in ["path", *paths]))
    data = VideoDataModule(
        StrideSampling(4, 2), train=f"{tmp_path}/val.csv", val=f"{tmp_path}/val.csv", image_size=64, batch_size=3,
        eval_batch_size=8, num_workers=0, decode_timeout=None, boxes=Boxes(str(jhmdb / "boxes.csv")),
    )  # fmt: skip
    data.setup("validate")
    batch = next(iter(data.train_dataloader()))
    assert [people.actions.sum() for people in batch["people"]] == [1] * 3
    answered = torch.cat([batch["frames"].flatten() for batch in data.val_dataloader()])
    assert (answered >= 0).sum() == len(data.truth("val")) > 60
