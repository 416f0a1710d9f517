import os
import signal
import warnings

import pytest
import torch
from small_disk import with_little_room

from vidattn.training.loggers import RunCSV, RunEvents
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


@pytest.mark.parametrize("logger", [RunCSV, RunEvents])
def test_numbers_that_cannot_be_logged_end_nothing(tmp_path, logger):
    def job():
        made = logger(tmp_path, name="", version="run")
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            for step in range(300):
                made.log_metrics({f"value {place}": 0.5 for place in range(20)}, step)
                made.save()
            made.finalize("success")
        return [str(one.message) for one in said if "numbers cannot be logged" in str(one.message)]

    said = with_little_room(tmp_path, "8k", job)

    once = f"['{tmp_path}/run: numbers cannot be logged (No space left on device); the run goes on without those']"
    assert said in ("[]", once)
    assert said != "[]" or logger is RunEvents  # which writes in a thread of its own
