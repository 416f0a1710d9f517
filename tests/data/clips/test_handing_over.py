import os
import resource
from types import SimpleNamespace

import pytest
import torch
from small_disk import with_little_room
from torch.utils.data import DataLoader, Dataset

from vidattn.data.clips import handing_over
from vidattn.data.clips.handing_over import Waiting, check_shared_memory, handed_over
from vidattn.data.clips.sampling import StrideSampling
from vidattn.data.datamodule import VideoDataModule
from vidattn.data.videos.manifest import Video

MEGABYTES = 8


class Batches(Dataset):
    """Batches of 8 MB; `lose` is done in the worker, before the first of them."""

    def __init__(self, lose=lambda: None):
        self.lose = lose

    def __len__(self):
        return 4

    def __getitem__(self, index):
        other = self.lose() if index == 0 else None
        return {"video": torch.full((MEGABYTES, 1000, 1000), index, dtype=torch.uint8), "other": other}


def loader(lose=lambda: None):
    # The limit of time is for where this fails: batches that are lost without a word are waited for endlessly.
    options = {"num_workers": 1, "timeout": 60, "multiprocessing_context": "fork"}
    return DataLoader(Batches(lose), batch_size=None, collate_fn=handed_over, **options)


def no_large_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, resource.RLIM_INFINITY))


def no_more_files():
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


def test_what_a_worker_hands_over_arrives_as_it_was():
    for index, batch in enumerate(loader()):
        assert batch["video"].shape == (MEGABYTES, 1000, 1000)
        assert (batch["video"] == index).all()
        assert batch["video"].is_shared()  # not copied through a pipe


@pytest.mark.parametrize(
    ("lose", "message"),
    [
        (
            lambda: lambda: None,
            r"cannot hand its batch on \(.*pickle.*\); everything in it, also what a target encoder",
        ),
        (no_large_files, r"cannot hand its batch on \(unable to .*/torch_.*--shm-size"),
        (no_more_files, r"cannot hand its batch on \(.*Too many open files.*ulimit -n 4096"),
    ],
    ids=["no pickle", "no shared memory", "no file"],
)
def test_a_batch_that_a_worker_loses_ends_the_run(lose, message):
    with pytest.raises(ValueError, match=f"(?s)DataLoader worker process 0.*{message}"):
        list(loader(lose))


def test_a_run_in_a_container_with_little_shared_memory_ends_with_a_sentence():
    said = with_little_room("/dev/shm", "4m", lambda: list(loader()))

    assert "Mistake: a data worker cannot hand its batch on (unable to" in said
    assert "docker run --shm-size=8g" in said


def test_what_waits_is_compared_with_what_is_free_before_training(monkeypatch):
    docker = SimpleNamespace(f_bavail=64 * 256, f_frsize=4096)  # 64 MB
    monkeypatch.setattr(handing_over.os, "statvfs", lambda _: docker)
    monkeypatch.setattr(handing_over, "SHARED", os.curdir)
    data = VideoDataModule(
        StrideSampling(8, 32), train=[Video(f"{number}.mp4", 0) for number in range(100)], batch_size=8, num_workers=4
    )

    expected = (
        r"data.num_workers=4 may have 10 batches of 9.6 MB ready: 96 MB of shared memory in all, and \. has 67 MB "
        r"free; start the container with more \(docker run --shm-size=1g\)"
    )
    with pytest.raises(ValueError, match=expected):
        data.setup("fit")
    check_shared_memory([Waiting(9_600_000, 100)], workers=0)
    check_shared_memory([Waiting(9_600_000, 100)], workers=2)
    check_shared_memory([Waiting(9_600_000, 6)], workers=4)  # there are no more
    with pytest.raises(ValueError, match="115 MB of shared memory"):
        check_shared_memory([Waiting(9_600_000, 100)], workers=2, processes=2)
