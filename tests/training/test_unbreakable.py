"""Bad files, Ctrl-C and killed workers in the middle of an epoch, with data workers and their watchdogs."""

import csv
import os
import signal
import time
from pathlib import Path

import pytest
from tiny_run import SPLITS, Slow, add_broken, column, config, start, write_config

from vidattn.cli import main

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
SLOW = f"{Slow.__module__}.{Slow.__qualname__}"


def those_of(run):
    """The processes of a run, which are those of its session, zombies left aside: `{pid: parent}`."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent, _, session = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
        except OSError:  # it has ended meanwhile
            continue
        if int(session) == run.pid and state != "Z":
            found[int(folder.name)] = int(parent)
    return found


def wait_until(condition, what, seconds=90):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not in {seconds} seconds: {what}"
        time.sleep(0.05)


def watched(tiny_set, folder):
    """A configuration in which a process of its own decodes for each data worker, as where nothing is said."""
    values = config(tiny_set, folder)
    del values["data"]["decode_timeout"]
    return values


def slow_run(tiny_set, folder):
    """A run in the middle of its first epoch: its process, and those of its data workers."""
    values = watched(tiny_set, folder)
    values["data"] |= {"num_workers": 2, "batch_size": 1, "train_transforms": [{"class_path": SLOW}]}
    values["data"]["train_transforms"].append(
        {"class_path": "torchvision.transforms.v2.RandomCrop", "init_args": {"size": 32}}
    )
    process = start("fit", "--config", write_config(folder / "c.yaml", values), TINY_RUN_SLOW="1")

    # Two workers, and the two processes that decode for them.
    wait_until(lambda: len(those_of(process)) >= 5 or process.poll() is not None, "five processes")
    assert process.poll() is None, process.communicate()[0]
    return process, [pid for pid, parent in those_of(process).items() if parent == process.pid]


def test_a_killed_worker_ends_the_run_with_a_message_and_no_orphans(tiny_set, tmp_path):
    process, workers = slow_run(tiny_set, tmp_path)
    os.kill(workers[0], signal.SIGKILL)
    output, _ = process.communicate(timeout=120)

    assert process.returncode == 1, output
    assert "Traceback" not in output
    assert "a data worker was killed" in output
    assert "data.num_workers" in output
    wait_until(lambda: not those_of(process), f"all processes ended: {those_of(process)}", seconds=30)


def test_ctrl_c_ends_the_run_with_a_message_and_no_orphans(tiny_set, tmp_path):
    process, _ = slow_run(tiny_set, tmp_path)
    for pid in those_of(process):  # as a terminal does
        os.kill(pid, signal.SIGINT)
    output, _ = process.communicate(timeout=120)

    assert process.returncode == 130, output
    assert "Traceback" not in output
    assert "interrupted" in output.splitlines()[-1]
    wait_until(lambda: not those_of(process), f"all processes ended: {those_of(process)}", seconds=30)


def test_a_job_that_is_ended_with_all_its_processes_is_not_said_to_lack_memory(tiny_set, tmp_path):
    process, workers = slow_run(tiny_set, tmp_path)
    for pid in [*workers, process.pid]:  # as timeout and Slurm do
        os.kill(pid, signal.SIGTERM)
    output, _ = process.communicate(timeout=120)

    assert process.returncode == 128 + signal.SIGTERM, output
    assert "Traceback" not in output
    assert "memory" not in output
    wait_until(lambda: not those_of(process), f"all processes ended: {those_of(process)}", seconds=30)


def test_a_bad_file_under_two_processes_is_replaced_named_and_not_opened_again(tiny_set, tmp_path, recwarn):
    values = watched(tiny_set, tmp_path)
    values["trainer"] |= {"devices": 2, "strategy": "ddp", "max_epochs": 2}
    quarantine = tmp_path / "quarantine.csv"
    values["data"] |= {"num_workers": 2, "batch_size": 2, "on_error": "skip", "quarantine": str(quarantine)}
    values["data"] |= {"train": str(add_broken(tiny_set, "train", 3))}
    values["test_after_fit"] = False
    path = write_config(tmp_path / "c.yaml", values)

    process = start("fit", "--config", path)
    output, _ = process.communicate(timeout=200)

    assert process.returncode == 0, output

    assert [path.name for path in tmp_path.glob("run_*")] == ["run_0"]
    steps = (SPLITS["train"] + 1) // 4
    assert len(column(tmp_path / "run_0", "train/loss_step")) == 2 * steps  # neither process waited for the other
    rows = list(csv.reader(quarantine.open()))
    assert [row[0] for row in rows[1:]] == [str(tiny_set / "broken_train.mp4")]
    assert "broken_train.mp4" in output
    wait_until(lambda: not those_of(process), f"all processes ended: {those_of(process)}", seconds=30)

    values["trainer"] |= {"devices": 1, "strategy": "auto", "max_epochs": 1}
    values["data"] |= {"on_error": "raise", "num_workers": 0, "batch_size": 13}
    main(["fit", "--config", str(write_config(tmp_path / "c2.yaml", values))])
    assert any("on the quarantine list" in str(said.message) for said in recwarn)
