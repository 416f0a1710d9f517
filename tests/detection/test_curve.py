import numpy as np
import pytest
from drawn_answers import slow_steps, slow_trapezoids

from vidattn.detection.curve import Curve, ranking


def test_areas_are_those_of_slow_loops():
    rng = np.random.default_rng(0)
    for _ in range(50):
        hits = rng.random(rng.integers(0, 30)) < 0.5
        truths = int(hits.sum() + rng.integers(1, 5))
        curve = Curve.of(rng.random(len(hits)), hits, truths)
        assert curve.steps() == pytest.approx(slow_steps(curve.hits, truths))
        assert curve.trapezoids() == pytest.approx(slow_trapezoids(curve.hits, truths))


def test_areas_by_hand():
    # Right, wrong, right; three to be found: precisions 1, 1/2, 2/3 at recalls 1/3, 1/3, 2/3.
    curve = Curve.of(np.array([0.2, 0.9, 0.5]), np.array([True, True, False]), 3)
    assert curve.precision.tolist() == pytest.approx([1, 1 / 2, 2 / 3])
    assert curve.recall.tolist() == pytest.approx([1 / 3, 1 / 3, 2 / 3])
    assert curve.steps() == pytest.approx(1 / 3 * 1 + 1 / 3 * 2 / 3)
    assert curve.trapezoids() == pytest.approx(1 / 3 * (1 + 1) / 2 + 1 / 3 * (1 / 2 + 2 / 3) / 2)


def test_nothing_found_is_zero_and_nothing_to_be_found_is_no_number():
    none = np.empty(0)
    assert Curve.of(none, none.astype(bool), 3).steps() == Curve.of(none, none.astype(bool), 3).trapezoids() == 0
    assert np.isnan(Curve.of(np.ones(1), np.zeros(1, bool), 0).steps())
    assert np.isnan(Curve.of(np.ones(1), np.zeros(1, bool), 0).trapezoids())


def test_equal_scores_come_in_a_drawn_order_that_knows_nothing_of_the_lists():
    """A list sorted by class: with one score for all, its own order would find the first class perfectly."""
    hits = np.arange(2000) < 100
    areas = [Curve.of(np.full(2000, 0.5), hits[::step], 100).steps() for step in (1, -1)]
    assert max(areas) < 0.08
    assert areas[0] == Curve.of(np.full(2000, 0.5), hits, 100).steps()
    assert ranking(np.array([0.1, np.nan, 0.9])).tolist() == [2, 0, 1]
