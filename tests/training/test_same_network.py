import pytest
from torch import nn

from vidattn.training.same_network import check_same_network

OURS = {"depth": 2, "dim": 4}


@pytest.mark.parametrize(
    ("theirs", "state"),
    [
        (OURS, nn.Linear(4, 3).state_dict()),  # says nothing else: torch's own message counts the weights
        ({"depth": 12}, nn.Linear(4, 4).state_dict()),  # the weights fit all the same
        ({}, nn.Linear(4, 3).state_dict()),
        ({"depth": 12}, {}),
    ],
)
def test_what_fits_or_says_nothing_passes(theirs, state):
    check_same_network(nn.Linear(4, 4), OURS, theirs, state)


def test_another_network_is_named_by_what_differs():
    with pytest.raises(ValueError, match=r"of a network with depth=12 \(here 2\); give its RUN/config\.yaml"):
        check_same_network(nn.Linear(4, 4), OURS, {"depth": 12, "dim": 4}, nn.Linear(4, 3).state_dict())
