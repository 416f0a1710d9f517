import numpy as np
import pytest

from vidattn.data.boxes.box_list import BoxList
from vidattn.data.boxes.row import BoxListing, BoxRow
from vidattn.data.boxes.split import BoxSplit
from vidattn.data.clips.key_frames import KeyFrameSampling
from vidattn.data.clips.sampling import StrideSampling, UniformSampling
from vidattn.data.videos.manifest import Video
from vidattn.mistakes import Mistake

WHOLE = (Video("/a.mp4", None),)


class Opened:
    """A video of 10 frames."""

    num_frames, fps, times = 10, 5.0, None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def split(videos=WHOLE, **options):
    rows = [BoxRow("", "/a.mp4", (0.0, 0.0, 1.2, 1.0), "jump", frame) for frame in (2, 3, 7)]
    rows.append(BoxRow("", "/a.mp4", (0.5, 0.5, 0.5, 0.5), "jump", 9))  # empty
    boxes = BoxList.of("b.csv", [BoxListing(rows)])
    return BoxSplit(videos, boxes, lambda video: Opened(), **options)


def answered(windows):
    return sorted(answer for one in windows for answer in one.answers if answer >= 0)


def test_where_every_frame_is_known_all_are_evaluated_also_those_with_no_one():
    there = split()
    truth = there.truth()

    assert answered(there.windows(StrideSampling(4, 1))) == list(range(10))
    assert [(one.video, one.frame) for one in truth] == [("/a.mp4", frame) for frame in range(10)]
    assert [len(one.boxes) for one in truth] == [0, 0, 1, 1, 0, 0, 0, 1, 0, 0]
    assert truth[2].boxes.tolist() == [[0, 0, 1, 1]]  # cut at the picture's edge
    assert truth[2].actions.tolist() == [[True]]
    assert there.items == list(there.videos)


def test_where_key_frames_alone_are_known_each_is_an_item_and_only_they_are_evaluated():
    there = split(key_frames=True)
    windows = there.windows(KeyFrameSampling(4, 2))

    assert [(video.start_frame, video.end_frame) for video in there.items] == [(2, 3), (3, 4), (7, 8), (9, 10)]
    assert answered(windows) == [2, 3, 7, 9]
    assert [one.frames for one in windows][:2] == [(0, 0, 2, 4), (0, 1, 3, 5)]
    assert [one.frame for one in there.truth()] == [2, 3, 7, 9]


def test_a_segment_has_its_own_frames_alone():
    part = Video("/a.mp4", None, start_frame=3, end_frame=8)
    assert answered(split([part]).windows(StrideSampling(4, 1))) == [3, 4, 5, 6, 7]
    assert [one.frame for one in split([part], key_frames=True).truth()] == [3, 7]
    assert [video.start_frame for video in split([part], key_frames=True).items] == [3, 7]


def test_places_that_a_task_asks_for_are_answered_for():
    windows = split().windows(StrideSampling(4, 1), asked=[1, 3])
    assert answered(windows) == list(range(10))
    assert all(one.answers[0] == one.answers[2] == -1 for one in windows)


def test_a_rule_that_does_not_step_through_frames_is_refused():
    with pytest.raises(Mistake, match="UniformSampling has no frame_stride"):
        split().windows(UniformSampling(4))


def test_two_segments_of_one_file_do_not_share_their_length():
    parts = [Video("/a.mp4", None, end_frame=4), Video("/a.mp4", None, start_frame=4)]
    windows = split(parts).windows(StrideSampling(2, 1))
    assert [one.video for one in windows] == [0, 0, 1, 1, 1]
    assert np.concatenate([one.answers for one in windows]).tolist() == list(range(10))
