"""Libraries that answer, fail or crash as the real ones do, in front of the real ones on Python's path."""

import os
from functools import partial
from pathlib import Path

import pytest

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
    return partial(put, tmp_path, monkeypatch)


def put(folder: Path, monkeypatch: pytest.MonkeyPatch, **bodies: str) -> Path:
    """Write them into a folder, which comes first on the path from now on."""
    for name, body in (HEALTHY | bodies).items():
        package = folder.joinpath(*name.split("."))
        package.mkdir(exist_ok=True)
        (package / "__init__.py").write_text(body)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), str(Path(__file__).parents[1])]))
    return folder
