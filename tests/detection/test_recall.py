import numpy as np
import pytest
from drawn_answers import answers, slow_iou, two_people

from vidattn.detection.found import FrameTruth
from vidattn.detection.recall import box_recall, top_box_accuracy


def test_each_box_finds_one_person_whatever_the_class():
    found, truth = two_people()
    assert box_recall(found, truth) == 1
    assert box_recall(found, truth, most=1) == 0.5
    assert box_recall(found, truth, iou=0.95) == 0.5
    unanswered = [*truth, FrameTruth("a", 1, truth[0].boxes, truth[0].actions)]
    assert box_recall(found, unanswered) == 0.5
    assert np.isnan(box_recall([], [FrameTruth("a", 0, np.empty((0, 4)), np.empty((0, 1)))]))


@pytest.mark.parametrize("seed", range(4))
def test_the_surest_box_of_a_frame_is_that_of_slow_loops(seed):
    found, truth = answers(seed)
    right = frames = 0
    by_frame = {(one.video, one.frame): one for one in found}
    for one in truth:
        if not len(one.boxes):
            continue
        frames += 1
        answer = by_frame.get((one.video, one.frame))
        if answer is not None and len(answer.boxes):
            best = max(range(len(answer.boxes)), key=lambda row: max(answer.scores[row]))
            right += any(slow_iou(answer.boxes[best], box) >= 0.5 for box in one.boxes)
    assert top_box_accuracy(found, truth) == pytest.approx(right / frames)
