import pytest
import torch
from torch.utils.data import DataLoader
from torchvision import tv_tensors
from torchvision.transforms import v2

from vidattn.data.clips.dataset import TestViews, TrainClips
from vidattn.data.clips.items import collate
from vidattn.data.clips.sampling import StrideSampling
from vidattn.data.clips.target import ClassLabel, ClassLabels, TargetEncoder
from vidattn.data.clips.transforms import ShortSide, ShortSideJitter
from vidattn.data.readers.in_memory import FramesReader
from vidattn.data.videos.manifest import Video

TOP, LEFT, BOTTOM, RIGHT = 20, 30, 52, 70
HEIGHT, WIDTH = 80, 120
SIZE = 64


class WhiteBox:
    """Opens twelve black frames with a white box at rest, in place of any file."""

    def __call__(self, video):
        frames = torch.zeros(12, HEIGHT, WIDTH, 3, dtype=torch.uint8)
        frames[:, TOP:BOTTOM, LEFT:RIGHT] = 255
        return FramesReader(frames)


class Boxes(TargetEncoder):
    """Where the white box is in the first frame of the clip, which frames they are, and nothing of labels."""

    def encode(self, video, frames, size):
        corners = torch.tensor([[LEFT, TOP, RIGHT, BOTTOM]], dtype=torch.float32)
        return {"boxes": tv_tensors.BoundingBoxes(corners, format="XYXY", canvas_size=size), "frames": list(frames)}

    def batch(self, targets):
        return {name: [target[name] for target in targets] for name in ("boxes", "frames")}


def white(clip):
    """The oracle: left, top, right and bottom of what is white in every frame of `(3, T, S, S)`; no two differ."""
    corners = []
    for frame in (clip > 127).all(0):
        rows, columns = frame.any(1).nonzero(), frame.any(0).nonzero()
        corners.append([int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1])
    assert corners == [corners[0]] * len(corners)
    return corners[0]


def items(transforms, seeds=range(6), **options):
    for seed in seeds:
        data = TrainClips(
            [Video("any.mp4", 1)],
            StrideSampling(4, 2),
            transforms,
            SIZE,
            WhiteBox(),
            seed=seed,
            target=Boxes(),
            **options,
        )
        yield data[0]


@pytest.mark.parametrize(
    "transforms",
    [
        [v2.RandomCrop(SIZE)],
        [ShortSide(SIZE), v2.RandomCrop(SIZE)],
        [ShortSideJitter(66, 90), v2.RandomCrop(SIZE), v2.RandomHorizontalFlip()],
        [v2.RandomResizedCrop(SIZE, scale=(0.4, 1.0)), v2.RandomVerticalFlip()],
    ],
    ids=["crop", "resize", "jitter_and_flip", "resized_crop"],
)
def test_a_box_stays_around_what_it_was_around(transforms):
    places = set()
    for item in items(transforms):
        (box,) = item["boxes"][0].tolist()
        torch.testing.assert_close(torch.tensor(box), torch.tensor(white(item["video"][0])).float(), atol=1.0, rtol=0)
        assert item["boxes"][0].canvas_size == (SIZE, SIZE)
        places.add(tuple(box))
    assert len(places) > 1  # something was drawn


def test_each_clip_of_a_video_has_a_draw_of_its_own_and_its_frames_share_it():
    item = next(items([v2.RandomResizedCrop(SIZE, scale=(0.4, 1.0))], clips_per_video=3))

    for clip, boxes in zip(item["video"], item["boxes"], strict=True):
        torch.testing.assert_close(boxes[0].float(), torch.tensor(white(clip)).float(), atol=1.0, rtol=0)
    assert len({tuple(boxes[0].tolist()) for boxes in item["boxes"]}) == 3


@pytest.mark.parametrize("num_crops", [1, 3])
def test_a_box_stays_around_what_it_was_around_in_every_test_view(num_crops):
    item = TestViews([Video("any.mp4", None)], StrideSampling(4, 1), 2, num_crops, SIZE, WhiteBox(), target=Boxes())[0]

    assert len(item["boxes"]) == len(item["video"]) == 2 * num_crops
    for clip, boxes in zip(item["video"], item["boxes"], strict=True):
        torch.testing.assert_close(boxes[0].float(), torch.tensor(white(clip)).float(), atol=1.0, rtol=0)
    assert item["frames"] == [[0, 1, 2, 3]] * num_crops + [[8, 9, 10, 11]] * num_crops


def test_a_batch_holds_what_the_encoder_made_and_no_label():
    data = TrainClips(
        [Video("any.mp4", 1)] * 3, StrideSampling(4, 2), [v2.RandomCrop(SIZE)], SIZE, WhiteBox(), target=Boxes()
    )

    for workers in (0, 1):
        batch = next(iter(DataLoader(data, batch_size=3, collate_fn=collate, num_workers=workers)))
        assert "label" not in batch
        assert len(batch["boxes"]) == len(batch["video"]) == 3
        assert all(isinstance(boxes, tv_tensors.BoundingBoxes) for boxes in batch["boxes"])


def test_a_task_without_targets_takes_videos_without_labels():
    class Nothing(TargetEncoder):
        def encode(self, video, frames, size):
            return {}

        def batch(self, targets):
            return {}

    options = {"transforms": [v2.RandomCrop(SIZE)], "image_size": SIZE, "opener": WhiteBox()}
    item = TrainClips([Video("any.mp4", None)], StrideSampling(4, 2), target=Nothing(), **options)[0]
    assert item.keys() == {"video", "video_id", "view", "path", "skipped", "broken"}


def test_one_label_and_several_have_the_shapes_of_classification():
    video = Video("any.mp4", 2, labels=(0, 2))
    one, several = ClassLabel(), ClassLabels(num_classes=4)

    targets = [[encoder.encode(video, [0], (8, 8))] * 2 for encoder in (one, several)]
    assert one.batch(targets[0])["label"].tolist() == [2, 2]
    assert several.batch(targets[1])["label"].tolist() == [[1, 0, 1, 0]] * 2
    assert one.batch([])["label"].shape == (0,)
    assert several.batch([])["label"].shape == (0, 4)
    assert one.batch([one.encode(Video("any.mp4", None), [0], (8, 8))])["label"].tolist() == [-1]
