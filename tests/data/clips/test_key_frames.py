import torch

from vidattn.data.clips.key_frames import KeyFrameSampling
from vidattn.data.clips.sampling import VideoTimes
from vidattn.data.segment import Segment


def test_the_listed_frame_is_the_middle_and_its_surroundings_are_shown():
    rule = KeyFrameSampling(num_frames=5, frame_stride=3)
    key = VideoTimes(100, fps=30, segment=Segment(start_frame=40, end_frame=41))

    assert rule.train(key, torch.Generator()) == [34, 37, 40, 43, 46]
    assert rule.test(key, 1) == [[34, 37, 40, 43, 46]]


def test_edges_of_the_file_repeat():
    rule = KeyFrameSampling(num_frames=4, frame_stride=2)
    assert rule.test(VideoTimes(10, fps=30, segment=Segment(start_frame=0, end_frame=1)), 1) == [[0, 0, 0, 2]]
    assert rule.test(VideoTimes(10, fps=30, segment=Segment(start_frame=9, end_frame=10)), 1) == [[5, 7, 9, 9]]


def test_any_frame_of_the_segment_may_be_the_middle():
    rule, generator = KeyFrameSampling(3, 1), torch.Generator().manual_seed(0)
    times = VideoTimes(20, fps=30, segment=Segment(start_frame=5, end_frame=9))
    assert {rule.train(times, generator)[1] for _ in range(100)} == {5, 6, 7, 8}
    assert [clip[1] for clip in rule.test(times, 2)] == [6, 8]
