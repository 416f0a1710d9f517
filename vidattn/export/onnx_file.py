"""Exported graphs as ONNX: written by PyTorch, run by onnxruntime."""

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor
from torch.export import ExportedProgram

from vidattn.export.about import KEY, About, about_of
from vidattn.export.program import INPUT, quietly
from vidattn.mistakes import MissingLibraryError, Mistake

OPSETS = range(18, 24)
"""Versions of ONNX's operators that can be asked for: PyTorch writes 18, and what makes later ones of it goes to 23."""

OPSET = 20
LARGEST = 2**31 - 2**24
"""Bytes: a protobuf file holds 2 GB."""

Run = Callable[[Tensor], dict[str, Tensor]]


def needed(name: str) -> ModuleType:
    """A library of the extra `vidattn[export]`.

    Raises:
        ValueError: it does not load.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingLibraryError(
            f'ONNX files need {name} ({error}): python -m pip install "vidattn[export]"; a .pt2 needs nothing more'
        ) from error


def check_onnx(opset: int, num_bytes: int, file: Path) -> None:
    """Raise unless an ONNX file of this opset and so many bytes of weights can be written here.

    Raises:
        ValueError: there is no such opset, the weights are too large for one file, or a library is missing.
    """
    if opset not in OPSETS:
        raise Mistake(f"opset={opset}: wanted one from {OPSETS[0]} to {OPSETS[-1]}; {OPSET} is the default")
    if num_bytes > LARGEST:
        raise Mistake(
            f"{file}: weights of {num_bytes / 1e9:.1f} GB, and an ONNX file holds at most 2 GB; write {file.stem}.pt2"
        )
    for name in ("onnx", "onnxscript", "onnxruntime"):
        needed(name)


def write_onnx(
    program: ExportedProgram, example: Tensor, shapes: dict[str, dict[int, Any]], about: About, file: Path
) -> None:
    """Write the program with what is to be known of it.

    Raises:
        ValueError: ONNX has no word for something in it.
    """
    names = {"input_names": [INPUT], "output_names": list(about.outputs), "opset_version": about.opset}
    try:
        with torch.no_grad(), quietly():
            made = torch.onnx.export(program, (example,), dynamo=True, dynamic_shapes=shapes, verbose=False, **names)
            assert made is not None
            made.model.metadata_props[KEY] = about.to_json()
            made.save(file)
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = next(
            (line for line in lines if "No ONNX function" in line or "Unsupported" in line), (lines or [""])[0]
        )
        raise Mistake(f"{about.scheme} cannot be written as ONNX ({type(error).__name__}: {reason})") from error


class Session:
    """An ONNX file in onnxruntime, on the CPU.

    Args:
        file: the file.

    Raises:
        ValueError: it is none, or onnxruntime is missing.
    """

    def __init__(self, file: Path) -> None:
        runtime = needed("onnxruntime")
        if not file.is_file():
            raise Mistake(f"{file}: no such file")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3
        try:
            self.session = runtime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise Mistake(
                f"{file}: onnxruntime {runtime.__version__} cannot read it ({reason}); copy it again"
            ) from error
        self.file = file

    @property
    def about(self) -> About:
        """What the file says of itself.

        Raises:
            ValueError: nothing.
        """
        return about_of(self.session.get_modelmeta().custom_metadata_map, self.file)

    def __call__(self, video: Tensor) -> dict[str, Tensor]:
        """uint8 clips `(B, 3, T, H, W)` -> answers by name."""
        names = [output.name for output in self.session.get_outputs()]
        found = self.session.run(names, {INPUT: video.cpu().numpy()})
        return {name: torch.from_numpy(value) for name, value in zip(names, found, strict=True)}
