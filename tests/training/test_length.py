import math
from types import SimpleNamespace

import pytest

from vidattn.training.length import length_in_epochs


@pytest.mark.parametrize(
    ("max_epochs", "max_steps", "batches", "accumulated", "length"),
    [
        (7, -1, 10, 1, 7),
        (-1, -1, 10, 1, math.inf),
        (None, 25, 10, 1, 2.5),
        (2, 25, 10, 1, 2),
        (7, 10, 10, 4, 3 + 4 / 10),  # three steps an epoch, the last of two batches
    ],
)
def test_it_ends_with_what_comes_first(max_epochs, max_steps, batches, accumulated, length):
    trainer = SimpleNamespace(
        max_epochs=max_epochs, max_steps=max_steps, num_training_batches=batches, accumulate_grad_batches=accumulated
    )

    assert length_in_epochs(trainer) == pytest.approx(length)
