import os
import signal

import pytest
import torch
from small_disk import with_little_room

from vidattn.training.whole_files import WholeFiles


def save(path, kilobytes):
    WholeFiles().save_checkpoint({"weights": torch.ones(kilobytes, 1024, dtype=torch.uint8)}, path)


def test_a_checkpoint_for_which_there_is_no_room_leaves_the_one_of_before(tmp_path):
    last = tmp_path / "checkpoints" / "last.ckpt"

    def job():
        save(last, 30)
        with pytest.raises(ValueError, match="no room") as error:
            save(last, 300)
        kept = torch.load(last, weights_only=True)["weights"].shape
        return f"{error.value} {tuple(kept)} {os.listdir(last.parent)}"

    said = with_little_room(tmp_path, "100k", job)

    assert f"no room for a checkpoint: {last}: no space left on device; make room there, or name another" in said
    assert f"({last} is the one of before: resume from it) (30, 1024) ['last.ckpt']" in said


def test_a_kill_while_a_checkpoint_is_written_leaves_the_one_of_before(tmp_path, monkeypatch):
    save(tmp_path / "last.ckpt", 3)
    if not (child := os.fork()):
        monkeypatch.setattr("pathlib.Path.replace", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        save(tmp_path / "last.ckpt", 5)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert torch.load(tmp_path / "last.ckpt", weights_only=True)["weights"].shape == (3, 1024)
