import numpy as np
import pytest
from scipy.special import expit, softmax

from vidattn.calibration.fitting import HOTTEST, fit


def drawn(temperature, count=4000, classes=5, seed=0):
    """Logits, and classes that are as likely as the logits say once they are divided by the temperature."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 3, (count, classes))
    labels = [random.choice(classes, p=row) for row in softmax(logits / temperature, axis=1)]
    return logits, np.array(labels)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_that_labels_were_drawn_with_is_found_within_its_error(temperature):
    found = fit(*drawn(temperature))

    assert abs(found.calibration.temperature - temperature) < 3 * found.error
    assert found.error < 0.06 * temperature
    assert found.notes == []


def test_no_point_of_a_grid_is_better_for_one_label():
    logits, labels = drawn(1.7, count=300)
    share = 1 / (len(labels) + 2)  # of the target, for other classes

    def loss(temperature):
        likely = np.log(softmax(logits / temperature, axis=1))
        own = likely[np.arange(len(labels)), labels]
        return -((1 - share) * own + share * (likely.sum(1) - own) / (logits.shape[1] - 1)).mean()

    grid = np.geomspace(0.5, 6, 600)
    best = grid[np.argmin([loss(temperature) for temperature in grid])]
    assert fit(logits, labels).calibration.temperature == pytest.approx(best, rel=3e-3)


def test_several_labels_get_platts_two_numbers_as_newtons_method_finds_them():
    random = np.random.default_rng(1)
    logits = random.normal(-1, 2, (400, 3))
    labels = (random.random((400, 3)) < expit(0.4 * logits - 0.8)).astype(float)
    there, absent = labels.sum(), (1 - labels).sum()
    soft = np.where(labels > 0, (there + 1) / (there + 2), 1 / (absent + 2)).ravel()
    inputs, point = np.stack([logits.ravel(), np.ones(logits.size)], 1), np.array([1.0, 0.0])
    for _ in range(30):
        likely = expit(inputs @ point)
        bend = inputs.T @ (inputs * (likely * (1 - likely))[:, None])
        point = point - np.linalg.solve(bend, inputs.T @ (likely - soft))

    found = fit(logits, labels)

    assert 1 / found.calibration.temperature == pytest.approx(point[0], rel=1e-4)
    assert found.calibration.bias == pytest.approx(point[1], rel=1e-4)
    assert abs(1 / found.calibration.temperature - 0.4) < 4 * found.error * 0.4**2


def test_a_video_of_many_views_counts_as_one_of_few():
    logits, labels = drawn(2.0, count=200)
    often = np.where(labels == 0, 3, 1)
    again = np.repeat(np.arange(200), often)

    found = fit(logits[again], labels[again], 1 / often[again])

    assert found.calibration.temperature == pytest.approx(fit(logits, labels).calibration.temperature, rel=1e-5)


def test_all_right_is_as_sure_as_so_many_videos_allow():
    logits = np.eye(3)[np.arange(12) % 3] * 8.0

    found = fit(logits, np.arange(12) % 3)

    sure = softmax(logits / found.calibration.temperature, axis=1).max()
    assert sure == pytest.approx(1 - 1 / 14, abs=1e-4)
    assert found.notes[0].startswith("all 12 videos are answered right")
    assert "12 validation videos are few" in found.notes[1]


def test_all_wrong_ends_at_the_bound_and_says_so():
    logits = np.eye(3)[np.arange(60) % 3] * 8.0

    found = fit(logits, (np.arange(60) + 1) % 3)

    assert found.calibration.temperature == pytest.approx(HOTTEST)
    assert "none of the 60 videos is answered right" in found.notes[0]
    assert "the temperature ran to 100, as far as it is sought" in found.notes[1]


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        (np.zeros((1, 3)), np.array([0]), "1 validation videos tell no temperature; wanted 30 or more"),
        (np.zeros((5, 1)), np.zeros(5, int), "a network of one class is always sure"),
        (np.full((5, 3), np.nan), np.zeros(5, int), "a logit is NaN or infinite"),
    ],
)
def test_what_cannot_be_fitted_is_refused(logits, labels, message):
    with pytest.raises(ValueError, match=message):
        fit(logits, labels)
