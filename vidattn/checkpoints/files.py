"""Tensors and JSON from files of unknown origin: no code in them is run, and damage is reported."""

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from vidattn.checkpoints.plain import PLAIN
from vidattn.checkpoints.refusal import STATE_DICT, WANTED, refusal
from vidattn.checkpoints.renaming import WeightsError

WEIGHTS = ("model.safetensors", "pytorch_model.bin")
"""The names of weights in a folder, the preferred first; each may come in pieces, listed in `<name>.index.json`."""

INDEX = ".index.json"
CONFIG = "config.json"

UNDER = ("model_state", "state_dict", "model_state_dict", "model", "module")
"""Names that people put a state dict under."""

WRAPPERS = ("_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module.", "_forward_module.")
"""Of torch.compile, FSDP, checkpointing and Fabric: no layer is called so, wherever in a name it stands."""

EXPORTED = "vidattn classify VIDEO --weights FILE runs it; give the checkpoint that it was made of"

OUTSIDE = ("module.", "model.")
"""Of DataParallel and of modules that hold the network: wrappers where all names begin so, and only there."""


def read_weights(path: Path) -> Any:
    """What `torch.save` or safetensors wrote: a dict of tensors, or any plain values of `torch.save`.

    A safetensors file's own description, where it has one, stands under `vidattn` beside the tensors' `state_dict`.

    Raises:
        WeightsError: the file is missing, damaged, or of another kind.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(12)
    except OSError as error:
        raise WeightsError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    if path.name == CONFIG:
        raise WeightsError(f"{path}: a configuration, no weights; give its folder {path.parent}")
    try:
        if start[8:9] == b"{":  # after the header's length, the header
            return _read_safetensors(path)
        if path.suffix == ".onnx":
            raise WeightsError(f"an exported graph, whose weights are not read back; {EXPORTED}")
        if start[:2] == b"PK":
            _check_archive(path)
        # An unpickler that makes plain values and tensors only: a checkpoint cannot run code.
        with open(path, "rb") as file, torch.serialization.safe_globals(PLAIN):  # no path: its ending would count
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
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsError(f"{path}: not readable JSON ({error})") from None
    if not isinstance(found, dict):
        raise WeightsError(f"{path}: wanted a JSON object, found {type(found).__name__}")
    return found


def read_pieces(index: Path) -> dict[str, Any]:
    """The weights that are listed in `<name>.index.json`, put together.

    Raises:
        WeightsError: the list makes no sense, or one of the files cannot be read.
    """
    listed = read_json(index).get("weight_map")
    if not isinstance(listed, dict) or not all(isinstance(piece, str) and piece for piece in listed.values()):
        raise WeightsError(
            f"{index}: weight_map={str(listed)[:60]}; wanted an object, the name of a file for each weight"
        )
    return {
        key: value
        for piece in sorted(set(listed.values()))
        for key, value in tensors_of(read_weights(index.parent / Path(piece).name)).items()
    }


def tensors_of(found: Any) -> dict[str, torch.Tensor]:
    """The state dict in what `read_weights` returns: itself, or under a name that people put it under.

    Without what wrappers put into all names, and without the counter of averaged weights.
    """
    while isinstance(found, dict):
        if found and all(isinstance(value, torch.Tensor) for value in found.values()):
            return unwrapped({str(name): value for name, value in found.items()})
        found = next((found[name] for name in UNDER if name in found), None)
    return {}


def unwrapped(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The same weights by their names in the network itself; wrappers may stand in any order.

    >>> list(unwrapped({"module._orig_mod.norm.bias": torch.zeros(2), "module._orig_mod.norm.weight": torch.ones(2)}))
    ['norm.bias', 'norm.weight']
    """
    state = {name: value for name, value in state.items() if name != "n_averaged"}
    for wrapper in WRAPPERS:
        state = {re.sub(rf"(^|\.){re.escape(wrapper)}", r"\1", name): value for name, value in state.items()}
    while outside := next((one for one in OUTSIDE if state and all(name.startswith(one) for name in state)), None):
        state = {name.removeprefix(outside): value for name, value in state.items()}
    return state


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
        if "archive_format" in parts and "data.pkl" not in parts:
            raise WeightsError(f"an exported program, whose weights are not read back; {EXPORTED}")
        if "constants.pkl" in parts:
            raise WeightsError(f"a TorchScript archive, which holds code that is never run; {STATE_DICT}")
        if "data.pkl" not in parts:
            raise WeightsError(f"a zip archive that is no checkpoint; {WANTED}")
        for part in archive.infolist():
            if part.CRC:
                with archive.open(part) as file:
                    while file.read(2**20):
                        pass
