"""What each library says of itself, asked in a process of its own: one that crashes or hangs tells its own story."""

import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_SECONDS = 120

# Each is run after `import json, importlib.metadata`, and fills the dict `facts`.
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
}

_FRAME = """
import json, importlib.metadata
facts = {}
try:
%s
except BaseException as error:
    kind = type(error).__name__
    absent = isinstance(error, ModuleNotFoundError) and error.name == %r
    text = " ".join(str(error).split())
    facts |= {"error": "not installed" if absent else (kind + ": " + text)[:2000], "absent": absent}
print("\\n" + json.dumps(facts))
"""


@dataclass(frozen=True)
class Answer:
    """What came back.

    Args:
        facts: what the library said, plain values; what it said before it failed, too.
        error: why it does not load; empty where it does.
        absent: it is not installed.
    """

    facts: dict[str, Any]
    error: str = ""
    absent: bool = False


def ask(names: Iterable[str]) -> dict[str, Answer]:
    """The answers of several libraries, asked at the same time."""
    running = {name: _start(name) for name in names}
    return {name: _answer(process) for name, process in running.items()}


def _start(name: str) -> "subprocess.Popen[str]":
    body = "\n".join("    " + line for line in QUESTIONS[name].strip().splitlines())
    code = _FRAME % (body, name)
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _answer(process: "subprocess.Popen[str]") -> Answer:
    try:
        output, complaint = process.communicate(timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return Answer({}, f"importing it takes more than {_SECONDS} seconds")
    try:
        facts = json.loads(output.splitlines()[-1])
    except (ValueError, IndexError):
        last = (complaint.strip().splitlines() or ["nothing said"])[-1]
        cause = f"signal {-process.returncode}" if process.returncode < 0 else f"status {process.returncode}"
        return Answer({}, f"importing it ends Python ({cause}): {last}")
    return Answer(facts, facts.pop("error", ""), facts.pop("absent", False))
