import numpy as np
import pytest
import torch
from torchmetrics.classification import MulticlassCalibrationError

from vidattn.calibration.reliability import BINS, reliability


def test_the_error_is_that_of_torchmetrics_over_whole_rows_and_that_of_the_bins():
    random = np.random.default_rng(0)
    rows = random.dirichlet([0.4] * 4, 500)
    labels = random.integers(0, 4, 500)
    sure, right = rows.max(1), rows.argmax(1) == labels

    found = reliability(sure, right)

    whole = MulticlassCalibrationError(4, n_bins=BINS)
    assert found.error == pytest.approx(float(whole(torch.from_numpy(rows), torch.from_numpy(labels))), abs=1e-6)
    shares = found.counts / 500
    assert found.error == pytest.approx(np.nansum(shares * abs(found.certainty - found.right)), abs=1e-6)
    assert found.words.endswith(f"{sure.mean():.1%} sure on average, {right.mean():.1%} right")


def test_no_answers_have_no_error():
    assert np.isnan(reliability([], []).error)
