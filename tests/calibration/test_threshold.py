import numpy as np
import pytest

from vidattn.calibration.threshold import choose_threshold


def test_new_clips_of_other_classes_reach_it_as_seldom_as_wanted():
    random = np.random.default_rng(0)
    reached = []
    for _ in range(400):
        measured, new = random.beta(2, 3, 59), random.beta(2, 3, 500)
        reached.append((new >= choose_threshold(measured, 0.1).least).mean())

    assert np.mean(reached) == pytest.approx(0.1, abs=0.006)  # not only on the clips that it was chosen on


def test_as_many_clips_reach_it_as_may_and_no_fewer():
    others = np.random.default_rng(1).permutation(np.linspace(0.2, 0.9, 199))

    threshold = choose_threshold(others, 0.05)

    assert (others >= threshold.least).sum() == 9  # 0.05 * 200 - 1
    assert (threshold.false_alarms, threshold.clips) == (0.05, 199)


def test_too_few_clips_and_clips_that_are_answered_with_certainty_are_refused():
    with pytest.raises(ValueError, match=r"8 clips of other classes cannot tell .* of 0\.05; wanted 19 clips or more"):
        choose_threshold(np.linspace(0, 1, 8), 0.05)
    with pytest.raises(ValueError, match="answered with certainty, so that no threshold keeps them out"):
        choose_threshold(np.ones(40), 0.05)
    with pytest.raises(ValueError, match=r"false_alarms=0: wanted a share"):
        choose_threshold(np.ones(40), 0)
