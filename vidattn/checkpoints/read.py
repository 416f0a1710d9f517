"""Reading a checkpoint from anywhere: told apart by content, not by name."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from vidattn.checkpoints import folder
from vidattn.checkpoints.files import WEIGHTS, read_folder_weights, read_json, read_weights, tensors_of
from vidattn.checkpoints.hub import local_path
from vidattn.checkpoints.names import WeightsError
from vidattn.checkpoints.nearby import checkpoints_in
from vidattn.checkpoints.saved import Saved, described
from vidattn.checkpoints.sources import huggingface, timesformer, timm, videomae, vit, vivit

HF_MODELS: dict[str, tuple[Callable[[dict[str, Any], dict[str, Tensor]], Saved], dict[str, list[float]]]] = {
    "timesformer": (huggingface.read, huggingface.PIXELS),
    "videomae": (videomae.read, videomae.PIXELS),
    "vit": (vit.read_huggingface, vit.PIXELS),
    "vivit": (vivit.read, vivit.PIXELS),
}
"""`model_type` in HF's `config.json` -> who reads it, and mean and std where the folder has no processor."""


def read_checkpoint(source: str | Path, revision: str | None = None) -> Saved:
    """What a file, a folder or a model on the hub holds, in our terms; see `vidattn.load`.

    Raises:
        WeightsError: it cannot be read, or vidattn does not know its kind.
    """
    path = local_path(source, revision)
    try:
        return _read_folder(path) if path.is_dir() else _read_file(path)
    except WeightsError as error:
        message = str(error)
        raise WeightsError(message if message.startswith(str(path)) else f"{source}: {message}") from error.__cause__


def _read_folder(path: Path) -> Saved:
    best = path / "checkpoints" / "best.ckpt"
    if best.is_file():  # the folder of a run
        return _read_file(best)
    if not (path / "config.json").is_file():
        raise WeightsError(
            f"a folder without config.json (of ours or Hugging Face's) or a run's checkpoints; {_next(path)}"
        )
    config = read_json(path / "config.json")
    weights = tensors_of(read_folder_weights(path))
    if "vidattn" in config:
        return described(config["vidattn"], weights)
    if "model_type" in config:
        return _read_huggingface(path, config, weights)
    if "architecture" in config:
        return timm.read(config, weights)
    raise WeightsError(f"config.json is neither vidattn's nor of a known model; holds {', '.join(list(config)[:8])}")


def _next(folder: Path) -> str:
    """What to give instead of a folder that is no checkpoint, or else what it holds."""
    if found := checkpoints_in(folder):
        return f"give {' or '.join(map(str, found[:4]))}{' ...' if len(found) > 4 else ''}"
    return f"holds {', '.join(sorted(path.name for path in folder.iterdir())[:8]) or 'nothing'}"


def _read_huggingface(path: Path, config: dict[str, Any], weights: dict[str, Tensor]) -> Saved:
    kind = config["model_type"]
    if kind not in HF_MODELS:
        raise WeightsError(f"a Hugging Face model of type {kind!r}; vidattn reads {', '.join(HF_MODELS)}")
    read, pixels = HF_MODELS[kind]
    saved = read(config, weights)
    preprocessing, differences = folder.preprocessing(path)
    notes = [*saved.notes, *differences]
    if preprocessing.mean is None:
        preprocessing = preprocessing.with_pixels(**pixels)
        notes.append(
            f"mean and std: assumed {pixels['mean']} and {pixels['std']}, its Hugging Face folder does not say"
        )
    names = [] if "head.weight" not in saved.state else folder.class_names(config, saved.config.num_classes)
    if preprocessing.image_size is None:
        preprocessing = replace(preprocessing, image_size=saved.config.image_size)
    return replace(saved, class_names=names, preprocessing=preprocessing, notes=notes)


def _read_file(path: Path) -> Saved:
    if path.name in WEIGHTS and (path.parent / "config.json").is_file():
        return _read_folder(path.parent)
    found = read_weights(path)
    if isinstance(found, dict) and "vidattn" in found:
        state = found.get("state_dict", {})
        prefix = "network."  # of what Lightning writes; beside it there may be more
        ours = {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
        return described(found["vidattn"], ours or state)
    weights = tensors_of(found)
    if (isinstance(found, dict) and "model_state" in found) or "time_embed" in weights:
        return timesformer.read(weights)
    if "patch_embed.proj.weight" in weights:
        return timm.read({}, weights)
    if kind := next((one for one in HF_MODELS if any(name.startswith(f"{one}.") for name in weights)), None):
        raise WeightsError(f"weights of a Hugging Face {kind}; put its config.json beside them and load the folder")
    held = ", ".join(map(str, list(found)[:5])) if isinstance(found, dict) else type(found).__name__
    raise WeightsError(
        f"neither a checkpoint of vidattn, nor an official TimeSformer file, nor a ViT of timm's; holds {held}"
    )
