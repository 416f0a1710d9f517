import numpy as np
import pytest
from drawn_answers import answers, slow_iou, slow_steps, slow_trapezoids, two_people

from vidattn.detection.found import FrameBoxes, FrameTruth
from vidattn.detection.frame_map import Compared, ava_map, frame_map
from vidattn.mistakes import Mistake


def slow_map(found, truth, action, least, second_choice, area):
    """One class: all boxes of all frames in one row, the surest first, each against the people of its frame."""
    people = {}
    for one in truth:
        people[one.video, one.frame] = [box for box, does in zip(one.boxes, one.actions, strict=True) if does[action]]
    order = {(one.video, one.frame): place for place, one in enumerate(truth)}
    rows = []
    for one in sorted(found, key=lambda one: order[one.video, one.frame]):
        rows += [
            (-score[action], number, (one.video, one.frame), box)
            for number, (box, score) in enumerate(zip(one.boxes, one.scores, strict=True))
        ]
    rows.sort(key=lambda row: row[0])
    taken, hits = set(), []
    for _, _, frame, box in rows:
        overlaps = [(slow_iou(box, true), place) for place, true in enumerate(people[frame])]
        if second_choice:
            overlaps = [one for one in overlaps if (frame, one[1]) not in taken]
        best, place = max(overlaps, key=lambda one: (one[0], -one[1]), default=(0, -1))
        hit = best >= least and (frame, place) not in taken
        taken |= {(frame, place)} if hit else set()
        hits.append(hit)
    truths = sum(map(len, people.values()))
    return area(hits, truths) if truths else float("nan")


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("least", [0.5, 0.75])
def test_both_protocols_are_those_of_slow_loops(seed, least):
    found, truth = answers(seed)
    ours, avas = frame_map(found, truth, least), ava_map(found, truth, iou=least)

    for action in range(4):
        slow = slow_map(found, truth, action, least, True, slow_trapezoids)
        assert ours.of_class[action] == pytest.approx(slow, nan_ok=True)
        slow = slow_map(found, truth, action, least, False, slow_steps)
        assert avas.of_class[action] == pytest.approx(slow, nan_ok=True)
    assert ours.mean == pytest.approx(np.nanmean(ours.of_class))


def test_second_choices_count_for_one_protocol_and_not_for_the_other():
    found, truth = two_people()
    # Both right, then a wrong one: precision stays 1 up to the last truth.
    assert frame_map(found, truth).mean == pytest.approx(1)
    # The second looks at the left one alone, which is taken: one of two truths, at precision 1.
    assert ava_map(found, truth).mean == pytest.approx(1 / 2)


def test_by_hand_over_two_frames_and_two_classes():
    """Class 0: right .9, wrong .8 (frame b), right .6; three to be found, one of them in a frame without an answer."""
    box, other = [0, 0, 1, 1], [0, 0, 0.3, 0.3]
    truth = [
        FrameTruth("a", 0, np.array([box]), np.array([[1, 0]])),
        FrameTruth("a", 1, np.array([box]), np.array([[1, 0]])),
        FrameTruth("a", 2, np.array([box]), np.array([[1, 0]])),
        FrameTruth("b", 0, np.empty((0, 4)), np.empty((0, 2))),
    ]
    found = [
        FrameBoxes("a", 0, np.array([box, other]), np.array([[0.9, 0.1], [0.3, 0.9]])),
        FrameBoxes("a", 1, np.array([box]), np.array([[0.6, 0.5]])),
        FrameBoxes("b", 0, np.array([other]), np.array([[0.8, 0.5]])),
    ]
    result = frame_map(found, truth)
    # Right, wrong, right, wrong: recalls 1/3 1/3 2/3 2/3, precisions 1 1/2 2/3 1/2.
    assert result.of_class[0] == pytest.approx(1 / 3 * 1 + 1 / 3 * (1 / 2 + 2 / 3) / 2)
    assert np.isnan(result.of_class[1])  # nobody does it: it is left out of the mean
    assert result.mean == result.of_class[0]
    assert ava_map(found, truth).mean == pytest.approx(1 / 3 + 1 / 3 * 2 / 3)
    assert Compared.of(found, truth).evaluated == (3, 4)


def test_an_overlap_of_exactly_what_is_asked_counts():
    truth = [FrameTruth("a", 0, np.array([[0, 0, 1, 1]]), np.ones((1, 1)))]
    found = [FrameBoxes("a", 0, np.array([[0, 0, 0.5, 1]]), np.ones((1, 1)))]
    assert frame_map(found, truth).mean == 1
    assert frame_map(found, truth, iou=0.51).mean == 0


def test_a_class_with_truth_and_no_box_has_zero_and_other_classes_do_not_count():
    found, truth = two_people()
    truth = [one._replace(actions=np.array([[1, 1, 0], [1, 0, 0]])) for one in truth]
    found = [one._replace(boxes=np.empty((0, 4)), scores=np.empty((0, 3))) for one in found]
    assert frame_map(found, truth).of_class[:2].tolist() == [0, 0]
    assert np.isnan(ava_map(found, truth, classes=[0, 2]).of_class).tolist() == [False, True, True]


def test_empty_boxes_and_those_beyond_the_most_do_not_count():
    found, truth = two_people(((0.1,), (0.8,), (0.9,)))
    flat = found[0]._replace(boxes=np.concatenate([found[0].boxes[:2], [[0.5, 0.5, 0.5, 0.9]]]))
    assert ava_map([flat], truth).mean == pytest.approx(1 / 2)
    assert ava_map(found, truth, most=1).mean == 0  # the surest is the wrong one


def test_frames_that_are_answered_twice_or_have_no_truth_are_refused():
    found, truth = two_people()
    with pytest.raises(Mistake, match="frame 0 of a has two answers"):
        frame_map([*found, *found], truth)
    with pytest.raises(Mistake, match="frame 0 of b has an answer and no truth"):
        frame_map([found[0]._replace(video="b")], truth)
    with pytest.raises(Mistake, match=r"\[1, 2\] classes"):
        frame_map([found[0]._replace(scores=np.ones((3, 2)))], truth)
