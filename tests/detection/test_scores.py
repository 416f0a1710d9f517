import numpy as np
import pytest
from drawn_answers import answers

from vidattn.detection.found import FrameBoxes, FrameTruth
from vidattn.detection.frame_map import STRICTER, frame_map
from vidattn.detection.scores import DetectionScores


def test_all_numbers_of_perfect_answers_are_one():
    boxes, actions = np.array([[0, 0, 0.3, 1], [0.5, 0, 1, 0.9]]), np.array([[1, 0, 1], [0, 1, 0]])
    truth = [FrameTruth("a", frame, boxes, actions, np.arange(2)) for frame in range(24)]
    found = [FrameBoxes(one.video, one.frame, one.boxes, one.actions.astype(float)) for one in truth]
    numbers = DetectionScores.of(found, truth).numbers

    names = "frame_map_50 frame_map_50_95 ava_map_50 video_map_20 video_map_50 video_map_75 video_map_50_95"
    assert {name: value for name, value in numbers.items() if not name.startswith("frames")} == pytest.approx(
        dict.fromkeys([*names.split(), "box_recall_50", "top_box_50"], 1.0)
    )
    assert numbers["frames_evaluated"] == numbers["frames"] == 24


def test_the_mean_over_overlaps_is_that_of_each_alone():
    found, truth = answers(2)
    scores = DetectionScores.of(found, truth)
    alone = [frame_map(found, truth, least).mean for least in STRICTER]

    assert [result.mean for result in scores.frames] == pytest.approx(alone)
    assert scores.numbers["frame_map_50_95"] == pytest.approx(np.mean(alone))
    assert scores.numbers["frames_evaluated"] == len(found) < len(truth)


def test_nothing_found_is_zero_and_an_empty_set_no_number():
    _, truth = answers(3)
    assert DetectionScores.of([], truth).numbers["frame_map_50"] == 0
    assert DetectionScores.of([], truth).numbers["video_map_50"] == 0
    assert np.isnan(DetectionScores.of([], []).numbers["box_recall_50"])
