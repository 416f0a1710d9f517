from types import SimpleNamespace

import pytest
import torch

from vidattn.data.sections import Loading
from vidattn.training import threads
from vidattn.training.threads import CoresForDecoding


@pytest.fixture(autouse=True)
def _threads_as_they_were():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def trainer(workers, device="cpu", processes=1):
    strategy = SimpleNamespace(root_device=torch.device(device))
    data = SimpleNamespace(loading=Loading(num_workers=workers))
    return SimpleNamespace(strategy=strategy, num_devices=processes, datamodule=data)


@pytest.mark.parametrize(
    ("cores", "workers", "processes", "left"), [(8, 3, 1, 5), (2, 1, 1, 1), (2, 4, 1, 1), (8, 1, 2, 3), (8, 0, 1, 8)]
)
def test_the_network_takes_the_cores_that_the_workers_leave_and_gives_them_back(
    monkeypatch, cores, workers, processes, left
):
    monkeypatch.setattr(threads, "usable_cores", lambda: cores)
    torch.set_num_threads(8)
    callback = CoresForDecoding()

    callback.setup(trainer(workers, processes=processes), None, "fit")
    during = torch.get_num_threads()
    callback.teardown(trainer(workers), None, "fit")

    assert (during, torch.get_num_threads()) == (left, 8)


def test_fewer_threads_and_other_devices_stay_as_they_are(monkeypatch):
    monkeypatch.setattr(threads, "usable_cores", lambda: 8)
    torch.set_num_threads(2)
    CoresForDecoding().setup(trainer(1), None, "fit")
    CoresForDecoding().setup(trainer(8, device="meta"), None, "fit")
    assert torch.get_num_threads() == 2
