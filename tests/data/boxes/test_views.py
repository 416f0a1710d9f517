import numpy as np
import pytest
import torch
from encode import encode_video, frame_number, numbered_frames

from vidattn.data.boxes.target import PeopleOfClip
from vidattn.data.boxes.video_boxes import merged
from vidattn.data.boxes.views import WindowViews
from vidattn.data.boxes.windows import Window
from vidattn.data.clips.items import collate
from vidattn.data.errors import VideoDecodeError
from vidattn.data.readers.opening import VideoOpener
from vidattn.data.videos.manifest import Video


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return Video(str(encode_video(tmp_path_factory.mktemp("v") / "a.mp4", numbered_frames(12, 64, 128))), None)


def views(video, windows, **options):
    boxes = merged([3, 11], np.array([[0.25, 0.5, 0.5, 1]] * 2), [1, 0], ["a", "a"], 2)
    return WindowViews([video], windows, 64, PeopleOfClip({video.path: boxes}, 2), VideoOpener(), **options)


def test_an_item_is_one_clip_of_whole_pictures_with_the_frames_it_answers_for(video):
    clips = views(video, [Window(0, (1, 3, 5), (-1, 3, 5)), Window(0, (9, 11, 13), (9, 11, 13))])
    batch = collate([clips[0], clips[1]])

    assert batch["video"].shape == (2, 3, 3, 64, 64)
    assert batch["video_id"].tolist() == [0, 0]
    assert batch["frames"].tolist() == [[-1, 3, 5], [9, 11, -1]]  # there is no frame 13
    assert [people.present.tolist() for people in batch["people"]] == [[[False, True, False]], [[False, True, False]]]
    assert batch["people"][0].boxes[0, 1].tolist() == [0.25, 0.5, 0.5, 1]
    wide = torch.nn.functional.interpolate(batch["video"][1].transpose(0, 1).float(), (64, 128), mode="nearest")
    assert [frame_number(one.permute(1, 2, 0).numpy()) for one in wide] == [9, 11, 11]


def test_a_video_that_cannot_be_read_ends_the_run_or_is_an_empty_item(tmp_path, video):
    broken = Video(str(tmp_path / "broken.mp4"), None)
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    window = [Window(0, (0, 1), (0, 1))]
    with pytest.raises(VideoDecodeError, match="on_error: skip"):
        views(broken, window)[0]

    batch = collate([views(broken, window, on_error="skip")[0], views(video, window)[0]])

    assert batch["video"].shape == (1, 3, 2, 64, 64)
    assert len(batch["people"]) == len(batch["frames"]) == 1
    assert [path for path, _ in batch["skipped"]] == [broken.path]
