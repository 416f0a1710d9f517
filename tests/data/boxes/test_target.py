import numpy as np
import torch
from torchvision import tv_tensors
from torchvision.transforms import v2

from vidattn.data.boxes.target import PeopleOfClip
from vidattn.data.boxes.video_boxes import VideoBoxes, merged
from vidattn.data.videos.manifest import Video

VIDEO = Video("a.mp4", None)
# Person 0 stands left in frames 0 to 3 and jumps from frame 2 on; person 1 is on the right in frame 2 alone.
BOXES = merged(
    [0, 1, 2, 2, 3, 2],
    np.array([[0, 0, 0.4, 1]] * 5 + [[0.8, 0.5, 1, 1]]),
    [0, 0, 0, 1, 1, 0],
    ["x"] * 5 + ["y"],
    num_classes=3,
)


def encoded(frames, size=(20, 40), **options):
    encoder = PeopleOfClip({"a.mp4": BOXES}, 3, **options)
    return encoder, encoder.encode(VIDEO, frames, size)


def test_each_person_has_boxes_in_the_frames_that_show_them_and_all_that_they_do_there():
    encoder, target = encoded([1, 2, 2, 5])
    batch = encoder.batch([target])
    (people,) = batch["people"]

    assert people.present.tolist() == [[True, True, True, False], [False, True, True, False]]
    assert people.actions.tolist() == [[1, 1, 0], [1, 0, 0]]
    torch.testing.assert_close(people.boxes[0, 0], torch.tensor([0, 0, 0.4, 1]))
    torch.testing.assert_close(people.boxes[1, 2], torch.tensor([0.8, 0.5, 1, 1]))
    assert people.boxes[0, 3].tolist() == [0, 0, 0, 0]
    assert batch["frames"].tolist() == [[1, 2, 2, 5]]
    assert batch["lost"].tolist() == [0]


def test_what_leaves_the_picture_is_cut_dropped_and_counted():
    encoder, target = encoded([0, 1, 2, 3])
    left = target | {"boxes": v2.functional.crop(target["boxes"], 0, 6, 20, 20)}  # columns 6 to 26 of 40
    further = target | {"boxes": v2.functional.crop(target["boxes"], 0, 13, 20, 20)}  # 3 of the 16 of person 0

    batch = encoder.batch([left, further])

    torch.testing.assert_close(batch["people"][0].boxes[0, 0], torch.tensor([0, 0, 0.5, 1]))
    assert [len(people) for people in batch["people"]] == [1, 0]
    assert batch["lost"].tolist() == [1, 5]


def test_how_much_must_be_left_can_be_chosen():
    encoder, target = encoded([0, 1, 2, 3], least=0.1)
    further = target | {"boxes": v2.functional.crop(target["boxes"], 0, 13, 20, 20)}
    batch = encoder.batch([further])
    assert len(batch["people"][0]) == 2  # of the other an eighth
    assert batch["lost"].tolist() == [0]


def test_a_clip_without_anyone_goes_through_transforms_and_is_an_empty_target():
    encoder, target = encoded([7, 8])
    picture = tv_tensors.Image(torch.zeros(2, 3, 20, 40, dtype=torch.uint8))
    _, moved = v2.RandomResizedCrop(16)(picture, target["boxes"])

    (people,) = encoder.batch([target | {"boxes": moved}])["people"]

    assert (people.boxes.shape, people.present.shape, people.actions.shape) == ((0, 2, 4), (0, 2), (0, 3))
    other = PeopleOfClip({}, 3)
    assert len(other.batch([other.encode(VIDEO, [0, 1], (20, 40))])["people"][0]) == 0


def test_around_a_key_frame_nobody_else_is_known():
    encoder, target = encoded([0, 1, 2, 3], middle_only=True)
    (people,) = encoder.batch([target])["people"]
    assert people.present.tolist() == [[False, False, True, False]] * 2
    assert people.actions.tolist() == [[1, 1, 0], [1, 0, 0]]


def test_an_empty_box_was_never_there():
    empty = VideoBoxes(np.zeros(1, int), np.full((1, 4), 0.5, np.float32), np.ones((1, 3), bool), np.zeros(1, int))
    encoder = PeopleOfClip({"a.mp4": empty}, 3)
    batch = encoder.batch([encoder.encode(VIDEO, [0], (20, 40))])
    assert len(batch["people"][0]) == 0
    assert batch["lost"].tolist() == [0]
