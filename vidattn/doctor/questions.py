"""What each library says of itself, asked in a process of its own: one that crashes or hangs tells its own story."""

import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_SECONDS = 120

# Each is run with `importlib.metadata` at hand, and fills the dict `facts`.
QUESTIONS = {
    "torch": """
import torch
facts["version"], facts["cuda"] = torch.__version__, torch.version.cuda
facts["usable"], facts["threads"] = torch.cuda.is_available(), torch.get_num_threads()
facts["gpus"] = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())] if facts["usable"] else []
""",
    "torchvision": """
try:
    facts["wanted"] = [one for one in importlib.metadata.requires("torchvision") or [] if one.startswith("torch==")]
except importlib.metadata.PackageNotFoundError:
    pass
import torchvision
facts["version"] = torchvision.__version__
""",
    "pytorch_lightning": """
import pytorch_lightning
facts["version"] = pytorch_lightning.__version__
""",
    "av": """
import av
facts["version"], facts["libavcodec"] = av.__version__, list(av.library_versions["libavcodec"])
facts["missing"] = [name for name in ("h264", "hevc", "vp9") if name not in av.codecs_available]
""",
    "decord": """
import decord
facts["version"] = decord.__version__
""",
    "torchcodec": """
import torchcodec
from torchcodec.decoders import VideoDecoder
facts["version"] = getattr(torchcodec, "__version__", None) or importlib.metadata.version("torchcodec")
""",
    "matplotlib": """
import matplotlib.figure
facts["version"] = matplotlib.__version__
""",
    "pandas": """
import pandas
facts["version"] = pandas.__version__
""",
    "transformers": """
import transformers
facts["version"] = transformers.__version__
""",
}

TOGETHER = ("torch", "torchvision", "pytorch_lightning", "torchcodec")
"""All import torch, which takes most of the time: they share a process as long as nothing in it fails."""

_MARK = "vidattn-answer "  # libraries print, too

_PROGRAM = """
import json, importlib.metadata, sys
for name, question in json.loads(sys.argv[1]).items():
    facts, failed = {}, False
    try:
        exec(question, {"facts": facts, "importlib": importlib})
    except BaseException as error:
        kind = type(error).__name__
        absent = isinstance(error, ModuleNotFoundError) and error.name == name
        text = " ".join(str(error).split())
        facts |= {"error": "not installed" if absent else (kind + ": " + text)[:2000], "absent": absent}
        failed = not absent
    print("\\n" + sys.argv[2] + json.dumps([name, facts]), flush=True)
    if failed:
        break  # half an import is left behind: the others are asked in a new process
"""


@dataclass(frozen=True)
class Reply:
    """What came back.

    Args:
        facts: what the library said, plain values; what it said before it failed, too.
        error: why it does not load; empty where it does.
        absent: it is not installed.
    """

    facts: dict[str, Any]
    error: str = ""
    absent: bool = False


def ask(names: Iterable[str]) -> dict[str, Reply]:
    """The answers of several libraries, asked at the same time."""
    names = list(names)
    groups = [[name for name in names if name in TOGETHER], *([name] for name in names if name not in TOGETHER)]
    running = [(group, _start(group)) for group in groups if group]
    answers: dict[str, Reply] = {}
    for group, process in running:
        answers |= _answers(group, process)
        while left := [name for name in group if name not in answers]:
            answers |= _answers(left, _start(left))
    return answers


def _start(names: list[str]) -> "subprocess.Popen[str]":
    questions = json.dumps({name: QUESTIONS[name] for name in names})
    words = [sys.executable, "-c", _PROGRAM, questions, _MARK]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _answers(names: list[str], process: "subprocess.Popen[str]") -> dict[str, Reply]:
    """The answers of the first of these libraries, up to one that fails; at least one answer."""
    hangs = ""
    try:
        output, complaint = process.communicate(timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        output, complaint = process.communicate()
        hangs = f"importing it takes more than {_SECONDS} seconds"
    found = [json.loads(line.removeprefix(_MARK)) for line in output.splitlines() if line.startswith(_MARK)]
    answers = {name: Reply(facts, facts.pop("error", ""), facts.pop("absent", False)) for name, facts in found}
    left = [name for name in names if name not in answers]
    if left and not any(answer.error and not answer.absent for answer in answers.values()):  # it did not stop by itself
        last = (complaint.strip().splitlines() or ["nothing said"])[-1]
        cause = f"signal {-process.returncode}" if process.returncode < 0 else f"status {process.returncode}"
        answers[left[0]] = Reply({}, hangs or f"importing it ends Python ({cause}): {last}")
    return answers
