"""What the small files in a Hugging Face folder say: class names, and how pixels become the network's input."""

import re
from pathlib import Path
from typing import Any

from torch import Tensor

from vidattn.checkpoints.files import read_json
from vidattn.checkpoints.names import WeightsError
from vidattn.preprocessing import Preprocessing, Three, three

PROCESSORS = ("video_preprocessor_config.json", "preprocessor_config.json")
ACTIVATIONS = {"gelu": "gelu", "gelu_fast": "gelu_tanh", "gelu_new": "gelu_tanh", "gelu_pytorch_tanh": "gelu_tanh"}
"""GELUs by HF's name -> ours."""
FILTERS = {0: "nearest", 1: "Lanczos", 3: "bicubic", 4: "box", 5: "Hamming"}
"""Pillow's numbers of what is not bilinear."""
_BILINEAR = 2


def activation(config: dict[str, Any]) -> str:
    """Our name of the MLP's activation, which HF's configurations call `hidden_act`.

    Raises:
        WeightsError: it is no GELU.
    """
    name = config.get("hidden_act", "gelu")
    if name not in ACTIVATIONS:
        raise WeightsError(f"hidden_act={name!r} is not one that vidattn has: {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name]


def mlp_ratio(hidden: int, dim: int) -> float:
    """The ratio that gives an MLP of this width: `int(dim * ratio) == hidden`, rounding or not.

    >>> int(1408 * mlp_ratio(6144, 1408))
    6144
    """
    return hidden / dim if int(dim * (hidden / dim)) == hidden else (hidden + 0.5) / dim


def prefixed(weights: dict[str, Tensor], model: str, *outside: str) -> dict[str, Tensor]:
    """The weights with `model.` before every name but those of the layers `outside`: a model saved without its head
    has names without it."""
    if any(name.startswith(f"{model}.") for name in weights):
        return weights
    return {name if name.startswith(outside) else f"{model}.{name}": value for name, value in weights.items()}


def num_classes(weights: dict[str, Tensor]) -> tuple[int, list[str]]:
    """Number of classes, and which of our layers are absent. Without a head there are 400 classes to come."""
    return (weights["classifier.weight"].shape[0], []) if "classifier.weight" in weights else (400, ["head"])


def class_names(config: dict[str, Any], num_classes: int) -> list[str]:
    """The labels of `id2label` in order; empty where there are none, or only HF's placeholders.

    Raises:
        WeightsError: there is another number of labels than of classes.
    """
    labels = {int(number): str(label) for number, label in config.get("id2label", {}).items()}
    if not labels or all(re.fullmatch(r"LABEL_\d+", label) for label in labels.values()):
        return []
    if sorted(labels) != list(range(num_classes)):
        raise WeightsError(f"id2label has {len(labels)} labels, the head {num_classes} classes")
    return [labels[number] for number in range(num_classes)]


def preprocessing(folder: Path) -> tuple[Preprocessing, list[str]]:
    """What the folder's processor says, and where frames are prepared in another way than by it, a line each.

    ViViT's scales pixels to [-1, 1] (`offset`) and takes mean and std of that: here they are put in terms of [0, 1].
    Nothing is known where the folder has no processor.
    """
    path = next((folder / name for name in PROCESSORS if (folder / name).is_file()), None)
    if path is None:
        return Preprocessing(), []
    found = read_json(path)
    if "video_processor" in found or "image_processor" in found:  # of a file for several processors
        found = found.get("video_processor") or found["image_processor"]
    try:
        return _values(found), _not_followed(found)
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise WeightsError(f"{path}: cannot be understood ({type(error).__name__}: {error})") from None


def _values(found: dict[str, Any]) -> Preprocessing:
    mean, std = _pixels(found)
    short = _side(found["size"]) if "size" in found and found.get("do_resize", True) else None
    crop = _side(found["crop_size"]) if "crop_size" in found and found.get("do_center_crop", True) else short
    return Preprocessing(
        image_size=crop,
        mean=mean,
        std=std,
        short_side=short if short != crop else None,
        crop_rounding="down" if found.get("do_center_crop", "crop_size" in found) else "up",
    )


def _pixels(found: dict[str, Any]) -> tuple[Three | None, Three | None]:
    """Mean and std of pixels in [0, 1]; None where the processor leaves them to its class."""
    normalized = found.get("do_normalize", True)
    if normalized and "image_mean" not in found:
        return None, None
    mean = _triple(found["image_mean"]) if normalized else [0.0] * 3
    std = _triple(found["image_std"]) if normalized else [1.0] * 3
    if min(std) <= 0:
        raise ValueError(f"image_std={std} must be positive")
    # HF: (pixel * rescale_factor - offset - mean) / std, with pixels of 0 to 255.
    scale = 255 * float(found.get("rescale_factor", 1 / 255)) if found.get("do_rescale", True) else 255.0
    offset = 1.0 if found.get("offset", scale > 1.5) else 0.0
    return three("mean", [(one + offset) / scale for one in mean]), three("std", [one / scale for one in std])


def _not_followed(found: dict[str, Any]) -> list[str]:
    size, crop = found.get("size"), found.get("crop_size")
    resizes, crops = found.get("do_resize", True), found.get("do_center_crop", True)
    sides = [size.get("height"), size.get("width")] if isinstance(size, dict) and resizes else []
    squashes = bool(sides) and all(sides)
    short = _side(size) if resizes and size else None
    notes = []
    if not resizes:
        notes.append("resize: its processor leaves frames as large as they are, here all get the same short side")
    if squashes:
        notes.append(f"resize: its processor squashes frames to {sides[0]}x{sides[1]}, here they keep their shape")
    if resizes and (filter := found.get("resample", _BILINEAR)) != _BILINEAR:
        notes.append(
            f"resize: its processor's is {FILTERS.get(filter, filter)} (resample={filter}), here it is bilinear"
        )
    if crops and crop and short and (_side(crop) or 0) > short:
        notes.append(
            f"crop: its processor puts black around frames of {short} pixels, here they are enlarged to {_side(crop)}"
        )
    if not crops and not squashes:
        notes.append("crop: its processor takes whole frames, here it is the square in their middle")
    return notes


def _triple(values: Any) -> list[float]:
    triple = [float(value) for value in values] if isinstance(values, list | tuple) else [float(values)] * 3
    if len(triple) != 3:
        raise ValueError(f"{values} is not a value for each of three colours")
    return triple


def _side(size: Any) -> int | None:
    """One number of `224`, `{"shortest_edge": 224}` or `{"height": 224, "width": 224}`; None where sides differ."""
    if not isinstance(size, dict):
        return int(size)
    sides = {int(side) for name, side in size.items() if name in ("shortest_edge", "height", "width") and side}
    return sides.pop() if len(sides) == 1 else None
