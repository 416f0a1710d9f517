"""Exported graphs as PyTorch keeps them: .pt2 files."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.export import ExportedProgram
from torch.export.passes import move_to_device_pass

from vidattn.export.about import KEY, About, about_of
from vidattn.export.program import quietly
from vidattn.mistakes import Mistake

ENTRY = f"{KEY}.json"

Run = Callable[[Tensor], dict[str, Tensor]]
"""uint8 clips `(B, 3, T, H, W)` -> answers by name."""


def write_pt2(program: ExportedProgram, about: About, file: Path) -> None:
    """Write the program with what is to be known of it."""
    with open(file, "wb") as opened, quietly():
        torch.export.save(program, opened, extra_files={ENTRY: about.to_json()})


def about_pt2(file: Path) -> About:
    """What a .pt2 says of itself; nothing in it is loaded.

    Raises:
        ValueError: it is none, or says nothing.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            entry = next((name for name in archive.namelist() if name.endswith(f"/extra/{ENTRY}")), None)
            found = {} if entry is None else {KEY: archive.read(entry).decode()}
    except OSError as error:
        raise Mistake(f"{file}: {(error.strerror or str(error)).lower()}") from None
    except (zipfile.BadZipFile, ValueError) as error:
        raise Mistake(
            f"{file}: no .pt2 of torch.export ({error}); copy it again, or export the checkpoint anew"
        ) from None
    return about_of(found, file)


def run_pt2(file: Path, device: torch.device | None = None) -> Run:
    """What runs the program on a device, the CPU by default.

    PyTorch reads symbolic sizes of the file as expressions, so take files only from those whom you trust, as you would
    with a program.

    Raises:
        ValueError: it is damaged, or a newer torch wrote it.
    """
    try:
        with open(file, "rb") as opened, quietly():
            program = torch.export.load(opened)
    except Exception as error:  # damage makes the reader fail in every way there is
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise Mistake(
            f"{file}: torch {torch.__version__} cannot read this program ({reason}); copy it again, or export the "
            "checkpoint with this torch"
        ) from error
    if device is not None and device.type != "cpu":
        program = move_to_device_pass(program, device)
    module = program.module()
    return lambda video: module(video)  # a function: nothing of it is to be moved, cast or set to training
