import numpy as np
import pytest

from vidattn.training.permuted import explained_by_order

NAMES = ["a", "b", "c", "d"]


@pytest.mark.parametrize("seed", range(5))
def test_any_order_of_the_classes_is_seen(seed):
    order = np.random.default_rng(seed).permutation(4)
    confusion = np.zeros((4, 4), int)
    confusion[np.arange(4), order] = 20
    confusion[0, (order[0] + 1) % 4] += 3  # some are wrong all the same

    said = explained_by_order(confusion, NAMES)

    if np.trace(confusion) > 45:
        assert not said
    else:
        assert "in another order of the classes 96.4% would be right" in said


@pytest.mark.parametrize(
    "confusion",
    [
        np.eye(4, dtype=int) * 20,
        np.full((4, 4), 5),
        np.ones((4, 4), int) - np.eye(4, dtype=int),
        np.roll(np.eye(4, dtype=int), 1, 1),  # one video each: by chance
        np.zeros((4, 4), int),
    ],
    ids=["right", "guessed", "never right", "one video each", "none"],
)
def test_other_kinds_of_low_accuracy_are_not(confusion):
    assert explained_by_order(confusion, NAMES) == ""
