"""Boxes in `VideoDataModule`: what a run is given and what it gets."""

import warnings

import pytest
import torch
from encode import encode_video, numbered_frames
from jsonargparse import ArgumentParser
from torchvision.transforms import v2

from vidattn.data import Boxes, KeyFrameSampling, RandomPart, StrideSampling, VideoDataModule
from vidattn.data.made.actions import ActionsSet
from vidattn.mistakes import Mistake

SIZE = 32


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Six videos of 10 frames and other shapes; the box of each moves to the right, the last has none."""
    folder = tmp_path_factory.mktemp("boxes")
    rows = ["path,frame,x1,y1,x2,y2,label"]
    for number in range(6):
        encode_video(folder / f"{number}.mp4", numbered_frames(10, 48, 64 + 16 * number, first=100 * number))
        if number < 5:
            rows += [
                f"{number}.mp4,{frame},{frame / 20:.2f},0.25,{frame / 20 + 0.5:.2f},0.75,{'ab'[number % 2]}"
                for frame in range(10)
            ]
    (folder / "boxes.csv").write_text("\n".join(rows))
    (folder / "train.csv").write_text("".join(f"{number}.mp4,whatever\n" for number in (0, 1, 2, 5)))
    (folder / "val.csv").write_text("path\n3.mp4\n4.mp4\n")
    return folder


def data(folder, sampling=None, **options):
    defaults = {"train": f"{folder}/train.csv", "val": f"{folder}/val.csv", "image_size": SIZE, "batch_size": 4}
    boxes = Boxes(f"{folder}/boxes.csv", **options.pop("boxes", {}))
    options = {"num_workers": 0, "decode_timeout": None, "boxes": boxes} | defaults | options
    return VideoDataModule(sampling or StrideSampling(4, 1), **options)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_training_batch_has_the_people_of_each_clip(folder, workers):
    made = data(folder, num_workers=workers)
    with pytest.warns(UserWarning, match=r"boxes.csv: 1 of 4 videos of data.train have no box: .*5.mp4"):
        made.setup("fit")
    (batch,) = made.train_dataloader()

    assert made.class_names == ["a", "b"]  # not the labels of the videos
    assert "label" not in batch
    assert batch["video"].shape == (4, 3, 4, SIZE, SIZE)
    people = dict(zip(batch["video_id"].tolist(), batch["people"], strict=True))
    assert {number: len(one) for number, one in people.items()} == {0: 1, 1: 1, 2: 1, 3: 0}
    assert [people[number].actions.tolist() for number in range(3)] == [[[1, 0]], [[0, 1]], [[1, 0]]]
    assert (people[0].boxes.diff(dim=1)[..., 0] > 0).all()  # it moves to the right
    assert batch["frames"].diff(dim=1).eq(1).all()
    assert batch["lost"].tolist() == [0] * 4


def test_boxes_stay_on_their_pixels_through_the_whole_way(tmp_path):
    """A white box on black: what the target says is where the white is, in each frame of each clip."""
    frames = numbered_frames(10, 48, 64) * 0
    rows = ["path,frame,x1_px,y1_px,x2_px,y2_px,label"]
    for number, frame in enumerate(frames):
        frame[12:30, 3 * number : 3 * number + 24] = 255
        rows.append(f"a.mp4,{number},{3 * number},12,{3 * number + 24},30,a")
    encode_video(tmp_path / "a.mp4", frames)
    (tmp_path / "boxes.csv").write_text("\n".join(rows))
    (tmp_path / "train.csv").write_text("path\na.mp4\n")
    transforms = [RandomPart(64), v2.RandomHorizontalFlip(0.5)]
    made = data(tmp_path, val=f"{tmp_path}/train.csv", image_size=64, train_transforms=transforms, boxes={"least": 0})
    made.setup("fit")
    made.train_dataloader()
    drawn = made._train_loader.dataset
    seen = [drawn[epoch, 0] for epoch in range(8)] + [made.val_dataloader().dataset[index] for index in range(3)]

    for item in seen:
        (people,) = item["people"]
        assert people.present.all()
        for time in range(4):
            rows, columns = torch.nonzero(item["video"][0, 0, time] > 127, as_tuple=True)
            white = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            torch.testing.assert_close(people.boxes[0, time] * 64, torch.tensor(white).float(), atol=1.2, rtol=0)


def test_evaluation_answers_for_each_frame_once_and_knows_the_truth(folder):
    made = data(folder, eval_batch_size=3)
    made.setup("validate")
    truth = made.truth("val")
    answers = []
    for batch in made.val_dataloader():
        for video, frames, people in zip(batch["video_id"].tolist(), batch["frames"], batch["people"], strict=True):
            path = made.manifest("val").videos[video].path
            answers += [(path, frame) for frame in frames.tolist() if frame >= 0]
            for time, frame in enumerate(frames.tolist()):
                if frame >= 0:  # nothing is cut or moved
                    wanted = next(one for one in truth if (one.video, one.frame) == (path, frame))
                    torch.testing.assert_close(people.boxes[:, time], torch.from_numpy(wanted.boxes))

    assert sorted(answers) == sorted((one.video, one.frame) for one in truth)
    assert len(answers) == 20
    assert made.view_spec == "every frame once, whole pictures"


def test_a_task_says_which_places_of_a_clip_it_answers_for(folder):
    made = data(folder, eval_batch_size=100)
    made.setup("validate")
    made.asked = [2]
    (batch,) = made.val_dataloader()
    assert len(batch["frames"]) == 20
    assert (batch["frames"][:, [0, 1, 3]] == -1).all()


def test_key_frames_are_items_of_their_own(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = data(folder, KeyFrameSampling(4, 1), boxes={"key_frames": True}, balance=None)
        made.setup("fit")
        assert len(made.train_dataloader().dataset) == 30
        batch = next(iter(made.train_dataloader()))
    assert all(people.present[:, [0, 1, 3]].sum() == 0 and people.present[:, 2].all() for people in batch["people"])
    with pytest.raises(Mistake, match=r"data.sampling is StrideSampling; set it to vidattn.data.KeyFrameSampling"):
        data(folder, boxes={"key_frames": True})


def test_class_names_that_are_given_come_first(folder):
    assert data(folder, class_names=["whatever", "b", "a"]).class_names == ["whatever", "b", "a"]


def test_data_without_boxes_has_no_truth(folder):
    with pytest.raises(Mistake, match=r"set data.boxes.file"):
        VideoDataModule(StrideSampling(4, 1), val=f"{folder}/val.csv").truth("val")
    with pytest.raises(Mistake, match=r"data.boxes.least=1"):
        Boxes(least=1)


def test_a_made_set_brings_its_boxes_and_a_command_line_sets_them(tmp_path):
    made = ActionsSet(str(tmp_path / "set"), num_train=4, num_val=2, num_test=1, num_frames=4, size=32)
    module = VideoDataModule(
        StrideSampling(4, 1), make=made, image_size=32, batch_size=2, num_workers=0, decode_timeout=None
    )
    module.prepare_data()
    module.setup("fit")
    assert module.class_names == made.class_names
    assert len(next(iter(module.train_dataloader()))["people"]) == 2

    parser = ArgumentParser()
    parser.add_class_arguments(VideoDataModule, "data")
    words = ["--data.sampling=vidattn.data.StrideSampling", "--data.sampling.num_frames=4"]
    words += ["--data.sampling.frame_stride=1", "--data.boxes.file=b.csv", "--data.boxes.least=0.5"]
    assert parser.parse_args(words).data.boxes.file == "b.csv"
