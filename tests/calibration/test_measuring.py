import numpy as np
import pytest

from vidattn.calibration.calibration import Calibration
from vidattn.calibration.measuring import held_out, quality


def test_each_video_is_answered_by_the_fit_that_did_not_see_it():
    fits = []

    def fit_without(mine):
        fits.append(mine)
        return Calibration(temperature=len(fits))

    found = held_out(lambda calibration: np.full((23, 2), calibration.temperature), fit_without, 23)

    assert np.array_equal(np.sum(fits, axis=0), np.ones(23))
    for number, mine in enumerate(fits, 1):
        assert (found[mine] == number).all()


def test_quality_of_one_label_and_of_several():
    rows = np.array([[0.9, 0.1], [0.3, 0.7]])

    one, several = quality(rows, np.array([0, 0])), quality(rows, np.array([[1, 0], [1, 1]]))

    assert one.loss == pytest.approx(-np.log([0.9, 0.3]).mean())
    assert one.top1 == 0.5
    assert several.loss == pytest.approx(-np.log([0.9, 0.9, 0.3, 0.7]).mean())
    assert several.top1 == 0.75
    assert several.reliability.counts.sum() == 4
