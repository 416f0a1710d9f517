import pytest
import torch
from pair import Pair
from taught import taught_by as taught_by
from tiny_run import write_set
from two_label_run import write_two_labels


@pytest.fixture(scope="session")
def tiny_set(tmp_path_factory):
    """The folder of the tiny videos and their lists."""
    return write_set(tmp_path_factory.mktemp("tiny_set"))


@pytest.fixture(scope="session")
def two_labels(tmp_path_factory):
    """The folder of videos of which each has two labels, one, or none."""
    return write_two_labels(tmp_path_factory.mktemp("two_labels"))


@pytest.fixture(scope="module", autouse=True)
def unseen(blank_pictures):
    """No test of this room looks at the pictures of a scorecard."""


@pytest.fixture
def one_thread():
    """Sums in the same order as the runs in processes of their own."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def pair(tmp_path_factory):
    """Two processes that wait for commands."""
    made = Pair(tmp_path_factory.mktemp("pair"))
    made.begin()
    yield made
    made.end()
