"""Each trouble is simulated by libraries that fail as the real ones do, in front of the real ones on Python's path."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from vidattn.cli import main
from vidattn.doctor import questions
from vidattn.doctor.diagnosis import diagnose, disk_finding, ffmpeg_finding, shared_memory_finding
from vidattn.doctor.questions import QUESTIONS, ask

CPU_TORCH = """
__version__ = "2.15.0+cpu"
class version: cuda = None
class cuda: is_available = staticmethod(lambda: False)
def get_num_threads(): return 2
"""
CUDA_TORCH = """
__version__ = "2.15.0+cu130"
class version: cuda = "13.0"
class cuda:
    is_available = staticmethod(lambda: True)
    device_count = staticmethod(lambda: 1)
    get_device_name = staticmethod(lambda index: "H100")
def get_num_threads(): return 2
"""
CODECS = '__version__ = "18.0.0"\nlibrary_versions = {"libavcodec": (62, 3, 100)}\n'
HEALTHY = {
    "torch": CPU_TORCH,
    "torchvision": '__version__ = "0.30.0"',
    "pytorch_lightning": '__version__ = "2.6.0"',
    "av": CODECS + 'codecs_available = {"h264", "hevc", "vp9"}',
    "decord": '__version__ = "0.6.0"',
    "torchcodec": '__version__ = "0.13.0"',
    "torchcodec.decoders": "class VideoDecoder: pass",
    "matplotlib": '__version__ = "3.10.0"',
    "matplotlib.figure": "",
    "pandas": '__version__ = "2.3.0"',
    "transformers": '__version__ = "5.0.0"',
}
NMS = 'raise RuntimeError("operator torchvision::nms does not exist")'
ABSENT = "raise ModuleNotFoundError(\"No module named '{0}'\", name='{0}')"


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Puts libraries with these bodies on the path, healthy ones for all others."""

    def put(**bodies: str) -> Path:
        for name, body in (HEALTHY | bodies).items():
            folder = tmp_path.joinpath(*name.split("."))
            folder.mkdir(exist_ok=True)
            (folder / "__init__.py").write_text(body)
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])]))
        return tmp_path

    return put


def report(has_nvidia=False):
    return {finding.name: finding for finding in diagnose(ask(QUESTIONS), has_nvidia)}


def test_a_healthy_machine_has_no_trouble_and_every_version(machine):
    machine()

    found = report()

    assert not [finding for finding in found.values() if finding.state == "trouble"]
    assert found["torch"].version == "2.15.0+cpu"
    assert "CPU only, 2 threads" in found["torch"].text
    assert "libavcodec 62.3.100" in found["PyAV"].text
    assert found["torchcodec"].state == "ok"
    assert "networks run on the CPU" in found["CUDA"].text


def test_a_gpu_is_named(machine):
    machine(torch=CUDA_TORCH)

    assert report(has_nvidia=True)["CUDA"].text == "networks run on H100"


def test_the_broken_pair_is_recognised_and_mended_for_the_torch_that_is_there(machine):
    failing = "raise RuntimeError('operator torchvision::nms does not exist')"
    machine(torchvision=NMS, pytorch_lightning=failing)

    found = report()

    assert found["torchvision"].state == "trouble"
    assert "torch is built for CPU only, and this torchvision is not" in found["torchvision"].text
    assert found["torchvision"].mend.startswith("pip install --force-reinstall --no-deps torchvision")
    assert found["torchvision"].mend.endswith("/whl/cpu")
    assert found["Lightning"].text == "does not load because torchvision does not; mend that first"


def test_the_pair_broken_the_other_way_is_mended_for_cuda(machine):
    machine(torch=CUDA_TORCH, torchvision='raise OSError("image.so: undefined symbol: _ZN3c10")')

    assert report()["torchvision"].mend.endswith("/whl/cu130")


def test_a_torchvision_for_another_torch_is_told_by_its_own_requirement(machine):
    folder = machine(torchvision=NMS) / "torchvision-0.29.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: torchvision\nVersion: 0.29.0\nRequires-Dist: torch==2.14.0\n"
    )

    found = report()["torchvision"]

    assert found.text.startswith("made for torch 2.14.0, but torch is 2.15.0")
    assert found.mend == "pip install --upgrade torch torchvision"


@pytest.mark.parametrize(
    ("name", "part", "state", "said"),
    [
        ("torch", "torch", "trouble", "nothing works without it"),
        ("torchvision", "torchvision", "trouble", "videos cannot be resized"),
        ("pytorch_lightning", "Lightning", "trouble", "no training"),
        ("av", "PyAV", "trouble", "videos cannot be read"),
        ("decord", "decord", "note", "reader=pyav is used"),
        ("torchcodec", "torchcodec", "note", "reader=pyav is used"),
        ("matplotlib", "matplotlib", "trouble", "nothing can be plotted"),
        ("pandas", "pandas", "note", "needed for answers as a table: to_dataframe() only"),
        ("transformers", "transformers", "note", "needed for vidattn bench-model only"),
    ],
)
def test_a_library_that_is_not_installed_is_said_with_what_it_is_for(machine, name, part, state, said):
    machine(**{name: ABSENT.format(name)})

    found = report()[part]

    assert (found.state, found.version) == (state, "")
    assert "not installed" in found.text
    assert said in found.text
    assert found.mend.startswith("pip install")


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


def test_an_error_of_the_libraries_of_ffmpeg_is_no_trouble_for_torchcodec_is_optional(machine):
    machine(**{"torchcodec.decoders": 'raise RuntimeError("Could not load libtorchcodec. Likely causes: FFmpeg")'})

    found = report()["torchcodec"]

    assert found.state == "note"
    assert "Could not load libtorchcodec" in found.text
    assert "needs FFmpeg's shared libraries" in found.text


def test_a_decoder_that_ffmpeg_lacks_is_trouble(machine):
    machine(av=CODECS + 'codecs_available = {"vp9"}')

    assert "cannot decode h264, hevc" in report()["PyAV"].text


def test_a_gpu_that_torch_cannot_use_is_trouble(machine):
    machine()
    assert "this torch is built for CPU only" in report(has_nvidia=True)["CUDA"].text

    machine(torch=CUDA_TORCH.replace("lambda: True", "lambda: False"))
    assert "cannot use the driver here" in report(has_nvidia=True)["CUDA"].text


def test_little_shared_memory_and_little_disk_are_trouble(tmp_path, monkeypatch):
    docker = shared_memory_finding(64 << 20, workers=4)
    assert (docker.state, docker.version) == ("trouble", "64 MiB")
    assert "--shm-size" in docker.mend
    assert shared_memory_finding(8 << 30, workers=4).state == "ok"
    assert shared_memory_finding(None, workers=4).state == "ok"

    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1 << 20))
    assert disk_finding(str(tmp_path)).state == "trouble"


def test_ffmpeg_is_not_needed():
    assert ffmpeg_finding(None).state == "note"
    assert ffmpeg_finding("ffmpeg version 7.1-full Copyright (c) 2000").version == "7.1-full"


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


def test_the_real_readers_answer():
    answers = ask(["av"])

    import av

    assert answers["av"].facts["version"] == av.__version__
    assert answers["av"].facts["missing"] == []
