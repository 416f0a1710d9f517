"""What libraries are asked, also where one of them ends Python."""

import pytest
from fake_libraries import ABSENT, CPU_TORCH, HEALTHY

from vidattn.doctor import questions
from vidattn.doctor.diagnosis import diagnose
from vidattn.doctor.questions import QUESTIONS, ask


def report(has_nvidia=False):
    return {finding.name: finding for finding in diagnose(ask(QUESTIONS), has_nvidia)}


def test_a_library_that_crashes_python_is_said_and_the_others_are_asked(machine):
    machine(decord="import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", torchcodec="import sys; sys.exit(3)")

    found = report()

    assert "importing it ends Python (signal 11)" in found["decord"].text
    assert "does not load" in found["torchcodec"].text
    assert found["PyAV"].state == "ok"


def test_torch_is_imported_once_for_all_that_need_it(machine, tmp_path):
    log = tmp_path / "imported"
    counted = f"{CPU_TORCH}\nprint('x', file=open({str(log)!r}, 'a'))"
    machine(
        torch=counted, torchvision="import torch\n" + HEALTHY["torchvision"], torchcodec="import torch\n__version__='1'"
    )

    found = report()

    assert log.read_text() == "x\n"
    assert not [finding for finding in found.values() if finding.state == "trouble"]


def test_what_is_asked_after_a_failure_does_not_meet_what_it_left_behind(machine):
    machine(
        torchvision="import sys, math; sys.modules['torchcodec'] = math; raise RuntimeError('half way')",
        decord=ABSENT.format("decord"),
    )

    found = report()

    assert found["torchvision"].text == "RuntimeError: half way"
    assert found["torchcodec"].version == "0.13.0"
    assert found["Lightning"].state == "ok"


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), 11)", "os._exit(0)"])
def test_the_libraries_behind_one_that_ends_python_are_asked(machine, end):
    machine(torchvision=f"import os; {end}")

    found = report()

    assert "importing it ends Python" in found["torchvision"].text
    assert (found["torch"].state, found["Lightning"].state, found["torchcodec"].state) == ("ok", "ok", "ok")


def test_a_library_that_prints_is_understood(machine):
    machine(torch="print('{}')\n" + CPU_TORCH, av="print('hello')\n" + HEALTHY["av"])

    assert report()["torch"].version == "2.15.0+cpu"


def test_a_library_that_hangs_is_given_up(machine, monkeypatch):
    machine(decord="import time; time.sleep(60)")
    monkeypatch.setattr(questions, "_SECONDS", 1)

    assert ask(["decord"])["decord"].error == "importing it takes more than 1 seconds"


def test_the_real_readers_answer():
    answers = ask(["av"])

    import av

    assert answers["av"].facts["version"] == av.__version__
    assert answers["av"].facts["missing"] == []
