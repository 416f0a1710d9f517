"""`vidattn doctor`, as a user and as a program run it."""

import json
import subprocess
import sys

from fake_libraries import ABSENT, NMS

from vidattn.cli import main


def test_the_command_runs_where_neither_torch_nor_torchvision_loads(machine):
    machine(torch="raise ImportError('libtorch.so: cannot open')", torchvision=NMS, decord=ABSENT.format("decord"))

    process = subprocess.run([sys.executable, "-m", "vidattn.cli", "doctor"], capture_output=True, text=True)

    assert process.returncode == 1, process.stderr
    assert "ImportError: libtorch.so: cannot open; nothing works without it" in process.stdout
    assert "    pip install torch torchvision" in process.stdout.splitlines()
    assert "torchvision: does not load without torch; mend that first" in process.stdout


def test_the_report_for_programs(machine, capsys, monkeypatch):
    machine()
    monkeypatch.setattr("shutil.which", lambda name: None)  # no nvidia-smi: this torch is for the CPU only

    main(["doctor", "--json"])

    parts = {part["name"]: part for part in json.loads(capsys.readouterr().out)}
    assert {"Python", "torch", "CUDA", "torchvision", "PyAV", "decord", "torchcodec", "ffmpeg", "disk"} <= set(parts)
    assert parts["PyAV"]["version"] == "18.0.0"
