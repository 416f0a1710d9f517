"""Tensors and JSON out of files that nobody vouches for: nothing in them can run, and damage is named."""

import json
import zipfile
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from vidattn.checkpoints.names import WeightsError
from vidattn.checkpoints.refusal import STATE_DICT, WANTED, refusal

WEIGHTS = ("model.safetensors", "pytorch_model.bin")
"""The names of weights in a folder, the preferred first; each may come in pieces, listed in `<name>.index.json`."""


def read_weights(path: Path) -> Any:
    """What `torch.save` or safetensors wrote: a dict of tensors, or whatever the former holds (plain values).

    A safetensors file's own description, where it has one, stands under `vidattn` beside the tensors' `state_dict`.

    Raises:
        WeightsError: the file is missing, damaged, or of another kind.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(12)
    except OSError as error:
        raise WeightsError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    try:
        if start[8:9] == b"{":  # after the header's length, the header
            return _read_safetensors(path)
        if start[:2] == b"PK":
            _check_archive(path)
        # An unpickler that makes plain values and tensors only: a checkpoint cannot run code.
        with open(path, "rb") as file:  # not the path: PyTorch would look at its ending
            return torch.load(file, map_location="cpu", weights_only=True)
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}") from None
    except Exception as error:  # damage makes the readers fail in every way there is
        # From None: PyTorch's own words advise to unpickle the file all the same.
        raise WeightsError(f"{path}: {refusal(start, str(error) or type(error).__name__)}") from None


def read_json(path: Path) -> dict[str, Any]:
    """The object that a JSON file holds.

    Raises:
        WeightsError: it cannot be read, or holds something else.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))  # editors may begin it with a mark
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path}: not readable JSON ({error})") from None
    if not isinstance(found, dict):
        raise WeightsError(f"{path}: wanted a JSON object, found {type(found).__name__}")
    return found


def read_folder_weights(folder: Path) -> dict[str, Any]:
    """The weights in a folder, pieces put together.

    Raises:
        WeightsError: there are none, or one of the files cannot be read.
    """
    for name in WEIGHTS:
        if (folder / name).is_file():
            return read_weights(folder / name)
        if (folder / f"{name}.index.json").is_file():
            pieces = read_json(folder / f"{name}.index.json").get("weight_map", {})
            return {
                key: value
                for piece in sorted(set(pieces.values()))
                for key, value in tensors_of(read_weights(folder / Path(piece).name)).items()
            }
    held = ", ".join(sorted(path.name for path in folder.iterdir())[:8]) or "nothing"
    raise WeightsError(f"{folder}: holds neither {' nor '.join(WEIGHTS)}, but {held}")


def tensors_of(found: Any) -> dict[str, torch.Tensor]:
    """The state dict in what `read_weights` returns: itself, or under a name that people put it under.

    Without the `module.` that `DataParallel` puts before all names.
    """
    while isinstance(found, dict):
        if found and all(isinstance(value, torch.Tensor) for value in found.values()):
            wrapped = all(str(name).startswith("module.") for name in found)
            return {name.removeprefix("module."): value for name, value in found.items()} if wrapped else found
        found = next((found[name] for name in ("model_state", "state_dict", "model") if name in found), None)
    return {}


def _read_safetensors(path: Path) -> dict[str, Any]:
    with safe_open(path, "pt") as file:
        about = (file.metadata() or {}).get("vidattn")
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a dict)
    return state if about is None else {"state_dict": state, "vidattn": json.loads(about)}


def _check_archive(path: Path) -> None:
    """Raise unless `torch.save` wrote the archive and every part has its checksum (0: none was written).

    PyTorch does not look at them.
    """
    with zipfile.ZipFile(path) as archive:
        parts = {Path(name).name for name in archive.namelist()}
        if "constants.pkl" in parts:
            raise WeightsError(f"a TorchScript archive, which holds code that is never run; {STATE_DICT}")
        if "data.pkl" not in parts:
            raise WeightsError(f"a zip archive that is no checkpoint; {WANTED}")
        for part in archive.infolist():
            if part.CRC:
                with archive.open(part) as file:
                    while file.read(2**20):
                        pass
