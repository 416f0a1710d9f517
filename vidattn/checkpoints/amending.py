"""Put a calibration into a checkpoint of ours, as it lies on the disk: nothing else in it changes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from vidattn.calibration.calibration import Calibration
from vidattn.checkpoints.files import CONFIG, WEIGHTS, read_json, read_weights
from vidattn.checkpoints.plain import PLAIN
from vidattn.mistakes import Mistake
from vidattn.writable import put_in_place, writing

_OUT = "give --out FOLDER for a copy that does"


def own_files(source: str | Path) -> list[Path]:
    """The files in which a calibration of `source` would stand: a run's best checkpoint, a `.ckpt`, or the weights and
    `config.json` of a folder. `vidattn.load` reads these of the same source.

    Raises:
        ValueError: there is no such file or folder, or it is not of ours.
    """
    path = Path(source).expanduser()
    if not path.exists():
        raise Mistake(f"{source} is no file or folder here, so it cannot hold a calibration; {_OUT}")
    best = path / "checkpoints" / "best.ckpt"
    if path.is_file():
        files = [path, *([path.parent / CONFIG] if path.name in WEIGHTS and (path.parent / CONFIG).is_file() else [])]
    elif (path / CONFIG).is_file() and (path / WEIGHTS[0]).is_file():
        files = [path / WEIGHTS[0], path / CONFIG]
    elif best.is_file():
        files = [best]
    else:
        raise Mistake(f"{source} holds neither checkpoints/best.ckpt nor {WEIGHTS[0]} of ours; {_OUT}")
    for file in files:
        found = read_json(file) if file.name == CONFIG else _described(file)
        if not isinstance(found, dict) or not isinstance(found.get("vidattn"), dict):
            raise Mistake(f"{file} was not written by vidattn, so it cannot hold a calibration; {_OUT}")
    return files


def _described(file: Path) -> Any:
    """What a file of weights holds, tensors left on the disk where its kind allows that."""
    try:
        if _is_safetensors(file):
            with safe_open(file, "pt") as opened:
                about = (opened.metadata() or {}).get("vidattn")
            return {} if about is None else {"vidattn": json.loads(about)}
        with torch.serialization.safe_globals(PLAIN):
            return torch.load(str(file), map_location="cpu", weights_only=True, mmap=True)
    except Exception:  # of another kind, or damaged: the reader says how
        return read_weights(file)


def amend(files: list[Path], calibration: Calibration) -> None:
    """Write the calibration into `own_files`; each stays as it was until its new form is complete.

    Raises:
        ValueError: one cannot be written.
    """
    for file in files:
        with writing(file), put_in_place(file) as part:
            _way(file)(file, part, calibration.to_dict())


def _way(file: Path) -> Callable[[Path, Path, dict[str, Any]], None]:
    if file.name == CONFIG:
        return _amend_json
    return _amend_safetensors if _is_safetensors(file) else _amend_pickled


def _is_safetensors(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.read(9)[8:] == b"{"


def _amend_json(file: Path, part: Path, stored: dict[str, Any]) -> None:
    found = read_json(file)
    _put(found["vidattn"], stored)
    part.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def _amend_safetensors(file: Path, part: Path, stored: dict[str, Any]) -> None:
    with safe_open(file, "pt") as opened:
        about = dict(opened.metadata())
        state = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118  (not a dict)
    described = json.loads(about["vidattn"])
    _put(described, stored)
    save_file(state, part, about | {"vidattn": json.dumps(described)})


def _amend_pickled(file: Path, part: Path, stored: dict[str, Any]) -> None:
    found = read_weights(file)
    _put(found["vidattn"], stored)
    with part.open("wb") as stream:  # to a name torch would give the archive that name
        torch.save(found, stream)


def _put(described: dict[str, Any], stored: dict[str, Any]) -> None:
    described.pop("calibration", None)
    if stored:
        described["calibration"] = stored
