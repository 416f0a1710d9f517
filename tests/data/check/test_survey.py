import errno
import hashlib
import os
import signal
import time
from multiprocessing import active_children

import pytest

from vidattn.cli import main
from vidattn.data.check import survey as survey_module
from vidattn.data.check.probe import Probe, probe
from vidattn.data.check.survey import survey
from vidattn.data.videos.manifest import Video


def test_a_file_that_cannot_be_read_does_not_end_the_check(videos, monkeypatch):
    def unreadable(*_):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(hashlib, "file_digest", unreadable)

    found = probe(str(videos / "train" / "jump" / "good.mp4"), None, 8)

    assert (found.problems, found.usable) == (["unreadable"], False)
    assert found.reason == "cannot read it (Permission denied); check the disk and your access"


def test_a_video_that_takes_too_long_does_not_stop_the_others(videos, monkeypatch):
    def slow(path, *args):
        if "slow" in path:
            time.sleep(60)
        return probe(path, *args)

    monkeypatch.setattr(survey_module, "probe", slow)
    slow.__module__, slow.__qualname__ = survey_module.__name__, "probe"  # so that it pickles
    good = str(videos / "train" / "jump" / "good.mp4")

    found = {one.path: one.problems for one in survey([Video("slow.mp4", 0), Video(good, 0)], 8, 0, timeout=2)}

    assert found == {"slow.mp4": ["too slow"], good: []}


def test_a_process_that_is_killed_costs_no_more_than_the_video_that_kills_it_twice(videos, tmp_path, monkeypatch):
    def deadly(path, *args):
        name = os.path.basename(path)
        if name == "deadly.mp4" or (name == "once.mp4" and not (tmp_path / "killed").exists()):
            (tmp_path / "killed").touch()
            os.kill(os.getppid(), signal.SIGKILL)  # the process of the pool: this one is its watchdog's
        return Probe(path)

    monkeypatch.setattr(survey_module, "probe", deadly)
    deadly.__module__, deadly.__qualname__ = survey_module.__name__, "probe"  # so that it pickles
    names = ["a.mp4", "once.mp4", "deadly.mp4", *(f"{number}.mp4" for number in range(9))]

    found = list(survey([Video(name, 0) for name in names], 8, 2, timeout=20))

    assert sorted(one.path for one in found) == sorted(names)
    (bad,) = [one for one in found if not one.usable]
    assert (bad.path, bad.problems) == ("deadly.mp4", ["unreadable"])
    assert "its process was killed in each of two attempts, as happens when memory is short" in bad.reason


def test_ctrl_c_ends_at_once_and_leaves_no_processes(videos, tmp_path, monkeypatch, capsys):
    def interrupt(path, *args):
        if path.endswith("dance/empty.mp4"):
            os.kill(parent, signal.SIGINT)
        time.sleep(60)

    parent = os.getpid()
    monkeypatch.setattr(survey_module, "probe", interrupt)
    interrupt.__module__, interrupt.__qualname__ = survey_module.__name__, "probe"
    before, began = active_children(), time.monotonic()
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets its background jobs ignore it

    with pytest.raises(SystemExit) as exit:
        main(["check", str(videos / "train"), "--out", str(tmp_path), "--workers", "2"])
    signal.signal(signal.SIGINT, handler)

    assert exit.value.code == 130
    assert time.monotonic() - began < 30
    assert "vidattn check: interrupted" in capsys.readouterr().err
    assert active_children() == before
