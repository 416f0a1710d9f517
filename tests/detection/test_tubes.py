import numpy as np
import pytest
from drawn_answers import answers, slow_tube_iou, tube

from vidattn.detection.found import FrameBoxes, FrameTruth
from vidattn.detection.tubes import Linking, true_tubes, tube_iou
from vidattn.mistakes import Mistake


def test_overlap_in_space_times_overlap_in_time_by_hand():
    assert tube_iou(tube(range(10)), tube(range(10))) == pytest.approx(1)
    assert tube_iou(tube(range(10)), tube(range(5, 10))) == pytest.approx(0.5)
    assert tube_iou(tube(range(10)), tube(range(10), shift=0.2)) == pytest.approx(1 / 3)
    assert tube_iou(tube(range(10)), tube(range(5, 15), shift=0.2)) == pytest.approx(1 / 3 * 5 / 15)
    assert tube_iou(tube(range(10)), tube(range(10, 12))) == 0


@pytest.mark.parametrize("seed", range(3))
def test_true_tubes_and_their_overlaps_are_those_of_slow_loops(seed):
    _, truth = answers(seed)
    tubes = true_tubes(truth)
    rows = {(one.video, one.frame, int(who), action) for one in truth
            for who, does in zip(one.persons, one.actions, strict=True) for action in np.flatnonzero(does)}  # fmt: skip
    assert sum(len(one.frames) for one in tubes) == len(rows)
    assert len(tubes) == len({(video, who, action) for video, _, who, action in rows})
    for one in tubes[:5]:
        for other in tubes[:5]:
            assert tube_iou(one, other) == pytest.approx(slow_tube_iou(one, other))


def test_truth_that_does_not_say_who_is_who_is_refused():
    with pytest.raises(Mistake, match="does not say who is who"):
        true_tubes([FrameTruth("a", 3, np.ones((1, 4)), np.ones((1, 2)))])


def walking(frames, gaps=(), step=1):
    """Two who walk past each other, in two rows; the second class is what the lower one does."""
    found = []
    for frame in frames:
        upper, lower = [0.02 * frame, 0, 0.02 * frame + 0.3, 0.4], [0.6 - 0.02 * frame, 0.5, 0.9 - 0.02 * frame, 1]
        boxes, scores = np.array([lower, upper]), np.array([[0.1, 0.8], [0.9, 0.2]])
        keep = [0] if frame in gaps else [0, 1]
        found.append(FrameBoxes("a", frame * step, boxes[keep], scores[keep]))
    return found


def test_two_who_walk_are_two_tubes_of_each_class_with_their_mean_scores():
    tubes = Linking().tubes(walking(range(20)))
    assert [(one.action, len(one.frames), round(one.score, 6)) for one in tubes] == [
        (0, 20, 0.9), (0, 20, 0.1), (1, 20, 0.8), (1, 20, 0.2),
    ]  # fmt: skip
    assert tubes[0].boxes[:, 1].tolist() == [0] * 20  # always the upper one
    np.testing.assert_allclose(np.diff(tubes[0].boxes[:, 0]), 0.02)


@pytest.mark.parametrize("step", [1, 4])
def test_a_gap_is_filled_in_a_straight_line_and_a_long_one_ends_the_tube(step):
    upper = [one for one in Linking().tubes(walking(range(20), gaps=range(8, 12), step=step)) if one.boxes[0, 1] == 0]
    np.testing.assert_allclose(upper[0].boxes[:, 0], 0.02 * np.arange(20))
    assert (upper[0].frames == step * np.arange(20)).all()

    parted = Linking(gap=3, least_frames=5).tubes(walking(range(20), gaps=range(8, 12), step=step))
    parted = [one for one in parted if one.action == 0 and one.boxes[0, 1] == 0]
    assert sorted(len(one.frames) for one in parted) == [8, 8]


def test_short_and_unsure_tubes_are_dropped_but_not_where_the_video_is_short():
    assert Linking().tubes(walking(range(20), gaps=range(12, 20)))[0].boxes[0, 1] > 0  # 12 frames of the upper one
    assert len(Linking().tubes(walking(range(4)))) == 4
    assert len(Linking(least_score=0.15).tubes(walking(range(20)))) == 3
    with pytest.raises(Mistake, match="most=0"):
        Linking(most=0)


def test_boxes_and_tubes_that_lie_on_a_surer_one_are_passed_over():
    found = walking(range(20))
    twice = [one._replace(boxes=np.concatenate([one.boxes, one.boxes + 0.01]),
                          scores=np.concatenate([one.scores, one.scores - 0.05])) for one in found]  # fmt: skip
    assert len(Linking().tubes(twice)) == 4
    assert len(Linking(nms=0.99).tubes(twice)) == 4  # the tubes lie on each other, then
    assert len(Linking(nms=0.99, tube_nms=0.99).tubes(twice)) == 8
    assert len(Linking(nms=0.99, tube_nms=0.99, most=1).tubes(twice)) == 2
