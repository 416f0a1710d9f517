"""From what the libraries say to what is used for what, and what is wrong."""

import os
import platform
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from vidattn.doctor.questions import Reply

State = Literal["ok", "note", "trouble"]
_WHEELS = "https://download.pytorch.org/whl"
_LOW_SHARED = 512 << 20  # bytes; Docker gives 64 MiB unless told otherwise
_LOW_DISK = 2 << 30  # bytes; a checkpoint of a large model with its optimizer


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Args:
        name: the part.
        state: "note" is for what can be done without.
        version: of the part; or how much of it there is.
        text: what it is used for; where there is trouble, the diagnosis.
        mend: the line that mends it; empty where there is nothing to mend, or no line does.
    """

    name: str
    state: State
    version: str
    text: str
    mend: str = ""


def diagnose(answers: Mapping[str, Reply], has_nvidia: bool) -> list[Finding]:
    """The report on the libraries.

    Args:
        answers: what `ask` returns for all names.
        has_nvidia: whether the machine has an NVIDIA driver.
    """
    torch = answers["torch"]
    return [
        torch_finding(torch),
        cuda_finding(torch, has_nvidia),
        torchvision_finding(answers["torchvision"], torch),
        lightning_finding(answers["pytorch_lightning"], answers["torchvision"]),
        pyav_finding(answers["av"]),
        decord_finding(answers["decord"]),
        torchcodec_finding(answers["torchcodec"]),
        matplotlib_finding(answers["matplotlib"]),
        optional_finding("pandas", answers["pandas"], "answers as a table: to_dataframe()"),
        optional_finding("transformers", answers["transformers"], "vidattn bench-model"),
    ]


def torch_finding(torch: Reply) -> Finding:
    """Nothing but this report works without it."""
    if torch.error:
        return Finding(
            "torch", "trouble", "", f"{torch.error}; nothing works without it", "pip install torch torchvision"
        )
    kind = f"built for CUDA {torch.facts['cuda']}" if torch.facts["cuda"] else "built for CPU only"
    threads = f"{torch.facts['threads']} thread{'s' * (torch.facts['threads'] != 1)}"
    return Finding("torch", "ok", torch.facts["version"], f"networks; {kind}, {threads}")


def cuda_finding(torch: Reply, has_nvidia: bool) -> Finding:
    """Whether networks run on a GPU."""
    if torch.error:
        return Finding("CUDA", "note", "", "unknown without torch")
    if torch.facts["usable"]:
        return Finding("CUDA", "ok", torch.facts["cuda"], f"networks run on {', '.join(torch.facts['gpus'])}")
    if not has_nvidia:
        return Finding("CUDA", "note", "", "no NVIDIA driver here; networks run on the CPU")
    if not torch.facts["cuda"]:
        text = "this machine has an NVIDIA driver, but this torch is built for CPU only; networks run on the CPU"
        mend = "pip install --force-reinstall torch torchvision  (its default build for Linux is for CUDA)"
        return Finding("CUDA", "trouble", "", text, mend)
    text = f"torch is built for CUDA {torch.facts['cuda']}, but cannot use the driver here (too old, or no GPU given)"
    return Finding(
        "CUDA", "trouble", torch.facts["cuda"], text, "nvidia-smi  (shows the driver's CUDA: it must be as new)"
    )


def torchvision_finding(vision: Reply, torch: Reply) -> Finding:
    """The pair of torch and torchvision must be of the same build and of versions made for one another."""
    wanted = vision.facts.get("wanted", [])
    if not vision.error:
        return Finding("torchvision", "ok", vision.facts["version"], "resizing, cropping, augmentation, drop path")
    if vision.absent:
        return Finding(
            "torchvision", "trouble", "", "not installed; videos cannot be resized", "pip install torchvision"
        )
    if torch.error:
        return Finding("torchvision", "trouble", "", "does not load without torch; mend that first")
    made_for = wanted[0].removeprefix("torch==") if wanted else ""
    have = torch.facts["version"].partition("+")[0]
    if made_for and made_for != have:
        text = f"made for torch {made_for}, but torch is {have} ({vision.error})"
        return Finding("torchvision", "trouble", "", text, "pip install --upgrade torch torchvision")
    if re.search(r"torchvision::nms|undefined symbol|libcud|libc10|_C\.so|image\.so", vision.error):
        cuda = torch.facts["cuda"]
        build = f"CUDA {cuda}" if cuda else "CPU only"
        index = f"{_WHEELS}/cu{cuda.replace('.', '')}" if cuda else f"{_WHEELS}/cpu"
        text = f"torch is built for {build}, and this torchvision is not ({vision.error})"
        return Finding(
            "torchvision",
            "trouble",
            "",
            text,
            f"pip install --force-reinstall --no-deps torchvision --index-url {index}",
        )
    return Finding("torchvision", "trouble", "", vision.error, "pip install --force-reinstall --no-deps torchvision")


def lightning_finding(lightning: Reply, vision: Reply) -> Finding:
    """Needed for training only; it fails with torchvision, which torchmetrics loads."""
    if not lightning.error:
        return Finding("Lightning", "ok", lightning.facts["version"], "training: vidattn fit, test, predict")
    if vision.error and not vision.absent and "torchvision" in lightning.error:
        return Finding("Lightning", "trouble", "", "does not load because torchvision does not; mend that first")
    return Finding("Lightning", "trouble", "", f"{lightning.error}; no training", "pip install pytorch-lightning")


def pyav_finding(av: Reply) -> Finding:
    """The default reader."""
    if av.error:
        return Finding("PyAV", "trouble", "", f"{av.error}; videos cannot be read", "pip install --force-reinstall av")
    libavcodec = "FFmpeg's libavcodec " + ".".join(map(str, av.facts["libavcodec"]))
    if av.facts["missing"]:
        text = f"its {libavcodec} cannot decode {', '.join(av.facts['missing'])}"
        return Finding("PyAV", "trouble", av.facts["version"], text, "pip install --force-reinstall --no-cache-dir av")
    return Finding("PyAV", "ok", av.facts["version"], f"reading videos (the default); {libavcodec} is in it")


def decord_finding(decord: Reply) -> Finding:
    """A second reader."""
    if not decord.error:
        return Finding("decord", "ok", decord.facts["version"], "reading videos where reader=decord is asked for")
    if not decord.absent:
        return Finding("decord", "note", "", f"{decord.error}; reader=pyav reads everything that it does")
    if platform.machine().lower() in ("x86_64", "amd64") and platform.system() in ("Linux", "Windows"):
        return Finding("decord", "note", "", "not installed; reader=pyav is used", "pip install decord")
    where = f"{platform.system()} on {platform.machine()}"
    return Finding("decord", "note", "", f"has no wheels for {where}; reader=pyav is used")


def torchcodec_finding(codec: Reply) -> Finding:
    """A third reader."""
    if not codec.error:
        return Finding(
            "torchcodec", "ok", codec.facts["version"], "reading videos where reader=torchcodec is asked for"
        )
    if codec.absent:
        return Finding("torchcodec", "note", "", "not installed; reader=pyav is used", "pip install torchcodec")
    text = f"does not load ({codec.error[:160]}); it needs FFmpeg's shared libraries and a torch of its own kind"
    return Finding("torchcodec", "note", "", f"{text}; reader=pyav is used")


def matplotlib_finding(matplotlib: Reply) -> Finding:
    """Draws all plots; it comes with vidattn."""
    if not matplotlib.error:
        return Finding("matplotlib", "ok", matplotlib.facts["version"], "plots, strips of frames, attention maps")
    return Finding("matplotlib", "trouble", "", f"{matplotlib.error}; nothing can be plotted", "pip install matplotlib")


def optional_finding(name: str, answer: Reply, use: str) -> Finding:
    """A library that one thing (`use`) needs, and nothing else does."""
    if answer.error:
        return Finding(name, "note", "", f"{answer.error}; needed for {use} only", f"pip install {name}")
    return Finding(name, "ok", answer.facts["version"], use)


def ffmpeg_finding(version: str | None) -> Finding:
    """The command line tool; PyAV brings its own FFmpeg.

    Args:
        version: the first line of `ffmpeg -version`; None where there is none.
    """
    if version is None:
        return Finding("ffmpeg", "note", "", "no command ffmpeg; not needed, PyAV has FFmpeg in it")
    return Finding(
        "ffmpeg", "ok", version.removeprefix("ffmpeg version ").split()[0], "not needed, PyAV has FFmpeg in it"
    )


def disk_finding(folder: str) -> Finding:
    """Room for checkpoints where `outputs/` goes."""
    free = shutil.disk_usage(folder).free
    if free < _LOW_DISK:
        text = f"little room in {folder}; checkpoints may not fit"
        return Finding("disk", "trouble", bytes_text(free), text, "--trainer.default_root_dir ANOTHER_FOLDER")
    return Finding("disk", "ok", f"{bytes_text(free)} free", f"{folder}: checkpoints and results")


def shared_memory_finding(total: int | None, workers: int) -> Finding:
    """Where worker processes leave their batches.

    Args:
        total: bytes of /dev/shm; None where there is no such thing.
        workers: processes that decode by default.
    """
    if total is None:
        return Finding("shared memory", "ok", "", f"{workers} workers pass batches on (no /dev/shm on this system)")
    if total < _LOW_SHARED:
        text = "too little for batches of several workers: they will end with a bus error"
        return Finding(
            "shared memory",
            "trouble",
            bytes_text(total),
            text,
            "docker run --shm-size 8g ...   (or --data.num_workers 0)",
        )
    return Finding("shared memory", "ok", bytes_text(total), f"{workers} workers pass batches on")


def machine_findings(folder: str = ".") -> list[Finding]:
    """The report on what is no library."""
    workers = min(4, os.cpu_count() or 1)
    shared = shutil.disk_usage("/dev/shm").total if os.path.isdir("/dev/shm") else None
    return [disk_finding(os.path.abspath(folder)), shared_memory_finding(shared, workers)]


def bytes_text(count: int) -> str:
    """Bytes for people.

    >>> bytes_text(64 << 20), bytes_text(3 << 30)
    ('64 MiB', '3.0 GiB')
    """
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
