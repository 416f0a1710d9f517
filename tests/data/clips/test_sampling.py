import random
from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from vidattn.data.clips.sampling import OfficialSampling, SecondsSampling, StrideSampling, UniformSampling, VideoTimes
from vidattn.data.segment import Segment

ALL = [StrideSampling(8, 32), SecondsSampling(8, 1.0), UniformSampling(8), OfficialSampling(8, 32)]


def ten_seconds(fps=30.0, **segment):
    return VideoTimes(round(10 * fps), fps, segment=Segment(**segment))


@pytest.mark.parametrize("sampling", ALL, ids=lambda sampling: type(sampling).__name__)
@pytest.mark.parametrize("num_frames", [1, 2, 7, 100, 301])
def test_clips_stay_in_the_segment_and_ascend(sampling, num_frames):
    whole = VideoTimes(num_frames, fps=30)
    part = VideoTimes(num_frames + 60, fps=30, segment=Segment(1.0, 1.0 + num_frames / 30))
    for video in [whole, part]:
        clips = [sampling.train(video, torch.Generator().manual_seed(seed)) for seed in range(20)]
        for clip in clips + sampling.test(video, 3):
            assert len(clip) == 8
            assert clip == sorted(clip)
            assert video.first <= clip[0]
            assert clip[-1] < video.stop


@pytest.mark.parametrize("sampling", ALL, ids=lambda sampling: type(sampling).__name__)
def test_a_segment_is_sampled_as_a_file_of_its_own(sampling):
    alone = VideoTimes(120, fps=30)
    inside = VideoTimes(600, fps=30, segment=Segment(5.0, 9.0))

    assert inside.first == 150
    for clips in [1, 3]:
        shifted = [[150 + frame for frame in clip] for clip in sampling.test(alone, clips)]
        assert sampling.test(inside, clips) == shifted


@pytest.mark.parametrize("sampling", ALL, ids=lambda sampling: type(sampling).__name__)
def test_training_clips_follow_from_the_generator(sampling):
    video = ten_seconds()
    clips = [sampling.train(video, torch.Generator().manual_seed(seed)) for seed in [0, 0, 1, 2, 3]]

    assert clips[0] == clips[1]
    assert len({tuple(clip) for clip in clips}) > 2


@pytest.mark.parametrize("sampling", ALL[:2], ids=lambda sampling: type(sampling).__name__)
def test_several_test_clips_reach_from_the_first_frame_to_the_last(sampling):
    clips = sampling.test(ten_seconds(), 5)

    starts = [clip[0] for clip in clips]
    assert starts[0] == 0
    assert clips[-1][-1] == 299
    gaps = [late - early for early, late in pairwise(starts)]
    assert max(gaps) - min(gaps) <= 1


def test_stride_training_starts_are_uniform_over_all_that_fit():
    sampling = StrideSampling(num_frames=2, frame_stride=4)
    generator = torch.Generator().manual_seed(0)
    starts = [sampling.train(VideoTimes(10, fps=30), generator)[0] for _ in range(3000)]

    counts = [starts.count(start) for start in range(10)]
    assert counts[6:] == [0] * 4  # a clip from 5 ends at frame 9
    assert all(abs(count - 500) < 100 for count in counts[:6])  # 5 standard deviations


def test_a_video_shorter_than_the_clip_repeats_its_last_frame():
    assert StrideSampling(4, 4).test(VideoTimes(6, fps=30), 1) == [[0, 4, 5, 5]]
    assert SecondsSampling(4, 1.0).test(VideoTimes(6, fps=2), 1) == [[0, 2, 4, 5]]


def test_seconds_mean_the_same_at_any_rate():
    sampling = SecondsSampling(num_frames=8, seconds_between=0.5)
    for fps in [25.0, 30.0, 60.0, 30000 / 1001]:
        video = ten_seconds(fps)
        instants = [video.seconds(frame) for frame in sampling.test(video, 1)[0]]
        gaps = [late - early for early, late in pairwise(instants)]
        assert all(abs(gap - 0.5) <= 1 / fps + 1e-9 for gap in gaps)
        assert abs(instants[-1] - instants[0] - 3.5) <= 1 / fps + 1e-9
        middle = (video.seconds(video.num_frames - 1)) / 2
        assert abs((instants[0] + instants[-1]) / 2 - middle) <= 1 / fps


def test_seconds_take_the_nearest_frame_of_a_variable_rate_file():
    draw = random.Random(0)
    times = [0.0]
    for _ in range(99):
        times.append(times[-1] + draw.choice([0.02, 0.04, 0.5]))
    video = VideoTimes(100, fps=99 / times[-1], times=times)

    clip = SecondsSampling(num_frames=6, seconds_between=1.3).test(video, 2)[0]

    for frame, instant in zip(clip, [0, 1.3, 2.6, 3.9, 5.2, 6.5], strict=True):
        assert abs(times[frame] - instant) == min(abs(time - instant) for time in times)


def test_a_segment_follows_the_clock_of_a_variable_rate_file():
    video = VideoTimes(5, fps=1, times=[0.0, 0.1, 0.2, 3.0, 4.0], segment=Segment(0.1, 4.0))

    assert (video.first, video.stop) == (1, 4)


@pytest.mark.parametrize("length", [9, 15, 50, 77, 301])
def test_uniform_tests_follow_the_official_rule(length):
    # SlowFast and TimeSformer, datasets/ssv2.py: the segment edges are rounded, the test takes their middle.
    seg = (length - 1) / 8
    edges = [(round(seg * i), round(seg * (i + 1))) for i in range(8)]

    assert UniformSampling(8).test(VideoTimes(length, fps=30), 1) == [[(low + high) // 2 for low, high in edges]]


@pytest.mark.parametrize("length", [8, 9, 50, 77])
def test_uniform_training_takes_each_part_once_and_every_frame_can_come(length):
    drawn = [UniformSampling(8).train(VideoTimes(length, 30), torch.Generator().manual_seed(s)) for s in range(400)]

    assert all(early < late for clip in drawn for early, late in pairwise(clip))
    assert {frame for clip in drawn for frame in clip} == set(range(length))
    parts = [set(frames) for frames in zip(*drawn, strict=True)]
    assert sum(map(len, parts)) == length  # no frame belongs to two parts


@pytest.mark.parametrize(("length", "expected"), [(8, [0, 1, 2, 3, 4, 5, 6, 7]), (4, [0, 0, 1, 1, 2, 2, 3, 3])])
def test_uniform_takes_a_video_without_spare_frames_as_it_is(length, expected):
    video = VideoTimes(length, fps=30)

    assert UniformSampling(8).test(video, 2) == [expected, expected]
    assert all(UniformSampling(8).train(video, torch.Generator().manual_seed(s)) == expected for s in range(20))


def test_a_segment_counted_in_frames_is_cut_to_the_file():
    video = VideoTimes(100, fps=30, segment=Segment(start_frame=90, end_frame=120))

    assert StrideSampling(4, 3).test(video, 1) == [[90, 93, 96, 99]]
    with pytest.raises(ValueError, match="from frame 100 to 120: the 100 frames"):
        VideoTimes(100, fps=30, segment=Segment(start_frame=100, end_frame=120))


def test_uniform_test_clips_are_spread_within_the_parts():
    clips = UniformSampling(2).test(VideoTimes(21, fps=30), 5)

    assert clips == [[1, 11], [3, 13], [5, 15], [7, 17], [9, 19]]


def test_official_training_starts_anywhere_in_the_room_there_is():
    sampling = OfficialSampling(8, 32)
    clips = [sampling.train(ten_seconds(), torch.Generator().manual_seed(seed)) for seed in range(300)]

    assert min(clip[0] for clip in clips) == 0
    assert max(clip[0] for clip in clips) == 43
    assert {clip[-1] - clip[0] for clip in clips} <= {254, 255, 256}


@pytest.mark.parametrize(
    ("sampling", "num_frames", "clips", "expected"),
    [
        (OfficialSampling(8, 32), 300, 10, [0, 4, 8, 13, 17, 22, 26, 30, 35, 39]),  # never the last start, 44
        (OfficialSampling(96, 4), 300, 1, [0]),
    ],
)
def test_official_test_starts(sampling, num_frames, clips, expected):
    assert [clip[0] for clip in sampling.test(VideoTimes(num_frames, fps=30), clips)] == expected


def test_official_repeats_the_last_frame_where_the_clip_is_longer():
    # 96x4 is 384 frames, the video has 300.
    assert OfficialSampling(96, 4).test(ten_seconds(), 1)[0].count(299) == 21


def test_official_counts_frames_at_thirty_a_second():
    assert OfficialSampling(8, 32).test(ten_seconds(60), 1)[0][-1] == 511


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: StrideSampling(8, 0), "frame_stride=0 must be at least 1"),
        (lambda: SecondsSampling(8, -1.0), "seconds_between=-1.0 must be more than 0"),
        (lambda: UniformSampling(0), "num_frames=0 must be at least 1"),
        (lambda: StrideSampling(8, 1).test(ten_seconds(), 0), "num_clips=0 must be at least 1"),
        (lambda: VideoTimes(0, fps=30), "no frames"),
        (lambda: ten_seconds(start=12.0), r"segment from 12.0 to None seconds: the 300 frames end at 9.97 seconds"),
        (lambda: ten_seconds(start=5.0, end=5.0), "segment from 5.0 to 5.0"),
    ],
)
def test_impossible_numbers_are_named(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_a_rule_is_a_value():
    assert replace(StrideSampling(8, 32), frame_stride=16) == StrideSampling(8, 16)
