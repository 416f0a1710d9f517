"""Each trouble is simulated by libraries that fail as the real ones do, in front of the real ones on Python's path."""

from types import SimpleNamespace

import pytest
from fake_libraries import ABSENT, CODECS, CUDA_TORCH, NMS, put

from vidattn.doctor.diagnosis import diagnose, disk_finding, ffmpeg_finding, shared_memory_finding
from vidattn.doctor.questions import QUESTIONS, ask


@pytest.fixture(scope="module")
def healthy(tmp_path_factory):
    """What all libraries answer where nothing is wrong."""
    with pytest.MonkeyPatch.context() as patch:
        put(tmp_path_factory.mktemp("healthy"), patch)
        return ask(QUESTIONS)


@pytest.fixture
def report(healthy, machine):
    """The report on a machine where some libraries are others; they alone are asked anew."""

    def of(has_nvidia=False, **bodies):
        machine(**bodies)
        changed = {name.partition(".")[0] for name in bodies}
        answers = healthy | ask([name for name in QUESTIONS if name in changed])
        return {finding.name: finding for finding in diagnose(answers, has_nvidia)}

    return of


def test_a_healthy_machine_has_no_trouble_and_every_version(report):
    found = report()

    assert not [finding for finding in found.values() if finding.state == "trouble"]
    assert found["torch"].version == "2.15.0+cpu"
    assert "CPU only, 2 threads" in found["torch"].text
    assert "libavcodec 62.3.100" in found["PyAV"].text
    assert found["torchcodec"].state == "ok"
    assert "networks run on the CPU" in found["CUDA"].text


def test_a_gpu_is_named(report):
    assert report(has_nvidia=True, torch=CUDA_TORCH)["CUDA"].text == "networks run on H100"


def test_the_broken_pair_is_recognised_and_mended_for_the_torch_that_is_there(report):
    failing = "raise RuntimeError('operator torchvision::nms does not exist')"

    found = report(torchvision=NMS, pytorch_lightning=failing)

    assert found["torchvision"].state == "trouble"
    assert "torch is built for CPU only, and this torchvision is not" in found["torchvision"].text
    assert found["torchvision"].mend.startswith("pip install --force-reinstall --no-deps torchvision")
    assert found["torchvision"].mend.endswith("/whl/cpu")
    assert found["Lightning"].text == "does not load because torchvision does not; mend that first"


def test_the_pair_broken_the_other_way_is_mended_for_cuda(report):
    found = report(torch=CUDA_TORCH, torchvision='raise OSError("image.so: undefined symbol: _ZN3c10")')

    assert found["torchvision"].mend.endswith("/whl/cu130")


def test_a_torchvision_for_another_torch_is_told_by_its_own_requirement(report, tmp_path):
    folder = tmp_path / "torchvision-0.29.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: torchvision\nVersion: 0.29.0\nRequires-Dist: torch==2.14.0\n"
    )

    found = report(torchvision=NMS)["torchvision"]

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
def test_a_library_that_is_not_installed_is_said_with_what_it_is_for(report, name, part, state, said):
    found = report(**{name: ABSENT.format(name)})[part]

    assert (found.state, found.version) == (state, "")
    assert "not installed" in found.text
    assert said in found.text
    assert found.mend.startswith("pip install")


def test_an_error_of_the_libraries_of_ffmpeg_is_no_trouble_for_torchcodec_is_optional(report):
    failing = 'raise RuntimeError("Could not load libtorchcodec. Likely causes: FFmpeg")'

    found = report(**{"torchcodec.decoders": failing})["torchcodec"]

    assert found.state == "note"
    assert "Could not load libtorchcodec" in found.text
    assert "needs FFmpeg's shared libraries" in found.text


def test_a_decoder_that_ffmpeg_lacks_is_trouble(report):
    found = report(av=CODECS + 'codecs_available = {"vp9"}')

    assert "cannot decode h264, hevc" in found["PyAV"].text


def test_a_gpu_that_torch_cannot_use_is_trouble(report):
    assert "this torch is built for CPU only" in report(has_nvidia=True)["CUDA"].text

    unusable = CUDA_TORCH.replace("lambda: True", "lambda: False")
    assert "cannot use the driver here" in report(has_nvidia=True, torch=unusable)["CUDA"].text


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
