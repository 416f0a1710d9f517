import numpy as np
import pytest
from drawn_answers import answers, slow_trapezoids, slow_tube_iou, tube

from vidattn.detection.tubes import Linking, true_tubes
from vidattn.detection.video_map import video_map


def slow_map(found, truth, action, least):
    truth = [one for one in truth if one.action == action]
    taken, hits = set(), []
    for one in sorted((one for one in found if one.action == action), key=lambda one: -one.score):
        free = [
            (slow_tube_iou(one, other), -place)
            for place, other in enumerate(truth)
            if other.video == one.video and place not in taken
        ]
        best, place = max(free, default=(0, 1))
        hits.append(best >= least and place <= 0)
        if hits[-1]:
            taken.add(-place)
    return slow_trapezoids(hits, len(truth)) if truth else float("nan")


@pytest.mark.parametrize("seed", range(4))
def test_video_map_is_that_of_slow_loops(seed):
    found, truth = answers(seed, videos=5, frames=12, missing=0)
    tubes, true = Linking(least_frames=3).tubes(found), true_tubes(truth)
    tubes = [one._replace(score=one.score + 1e-9 * place) for place, one in enumerate(tubes)]  # without ties
    for result, least in zip(video_map(tubes, true, 4, (0.2, 0.5)), (0.2, 0.5), strict=True):
        slow = [slow_map(tubes, true, action, least) for action in range(4)]
        assert result.of_class.tolist() == pytest.approx(slow, nan_ok=True)
    assert any(result > 0 for result in slow)


def test_by_hand():
    """Class 0: a right tube (overlap 1/2), a second one on the same person, and one of a person that nobody found."""
    truth = [tube(range(10)), tube(range(20, 30), shift=0.5), tube(range(10), action=1)]
    found = [tube(range(5, 10), score=0.9), tube(range(10), score=0.8)]
    at_20, at_50, at_75 = video_map(found, truth, 3, (0.2, 0.5, 0.75))

    # Right, wrong: one of two at precision 1. At 0.75 the first is wrong and the second right: half a triangle.
    assert at_20.of_class[:2].tolist() == at_50.of_class[:2].tolist() == [0.5, 0]
    assert at_75.of_class[0] == pytest.approx(1 / 2 * (0 + 1 / 2) / 2)
    assert np.isnan(at_20.of_class[2])
    assert at_50.mean == 0.25
