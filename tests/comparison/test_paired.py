"""The paired bootstrap against statsmodels' kind of answer: exact formulas where there are some, and plain loops."""

import numpy as np
import pytest

from vidattn.comparison.paired import paired_difference


def test_one_seed_each_is_the_bootstrap_over_videos():
    """Its interval is that of the normal approximation, the standard error of the mean of the differences."""
    random = np.random.default_rng(1)
    theirs = random.random(400) < 0.4
    ours = theirs | (random.random(400) < 0.2)

    found = paired_difference(ours[None], theirs[None], draws=4000)

    difference = ours.astype(float) - theirs
    error = difference.std() / np.sqrt(400)
    assert found.mean == difference.mean()
    assert found.low == pytest.approx(difference.mean() - 1.96 * error, abs=0.004)
    assert found.high == pytest.approx(difference.mean() + 1.96 * error, abs=0.004)


def test_seeds_that_differ_widen_the_interval():
    """All videos are alike, so that only the seeds vary: the means over draws of three seeds with replacement."""
    ours = np.repeat([[0.0], [0.5], [1.0]], 50, axis=1)
    theirs = np.zeros((3, 50))

    found = paired_difference(ours, theirs, draws=4000)

    every = [np.mean(draw) for draw in np.stack(np.meshgrid(*[[0, 0.5, 1]] * 3), -1).reshape(-1, 3)]
    assert found.mean == pytest.approx(0.5)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(every, [0.025, 0.975])), abs=0.17)
    assert found.low < 0.25


def test_pairs_count_not_totals():
    """Where both are right about the same videos there is no difference, whatever the accuracy."""
    right = np.random.default_rng(0).random((1, 100)) < 0.5

    assert paired_difference(right, right, draws=200)[1:] == (0, 0)
    assert str(paired_difference(np.ones((1, 8)), np.zeros((1, 8)), draws=10)) == "+100.0% [+100.0%, +100.0%]"


@pytest.mark.parametrize(
    ("ours", "theirs", "message"),
    [
        (np.ones((1, 3)), np.ones((1, 4)), "3 videos cannot be paired with 4; test both on the same list"),
        (np.ones(3), np.ones((1, 3)), r"answers of shape \(3,\); wanted \(seeds, videos\)"),
        (np.ones((0, 3)), np.ones((1, 3)), r"answers of shape \(0, 3\)"),
    ],
)
def test_what_cannot_be_paired_is_refused(ours, theirs, message):
    with pytest.raises(ValueError, match=message):
        paired_difference(ours, theirs)
