"""How pixels become the network's input, as the processor in a Hugging Face folder says: its switches in our terms."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidattn.checkpoints.files import read_json
from vidattn.checkpoints.foreign import Foreign
from vidattn.preprocessing import Preprocessing

FILES = ("processor_config.json", "video_preprocessor_config.json", "preprocessor_config.json")
"""Where it may stand, the first that counts first; the first of them counts only where it holds several processors."""

FILTERS = {0: "nearest", 1: "Lanczos", 2: "bilinear", 3: "bicubic", 4: "box", 5: "Hamming"}
"""Pillow's numbers of ways to resize."""
_BILINEAR = 2

TYPES = ("video_processor_type", "image_processor_type", "feature_extractor_type")
"""Keys that name the processor's class."""

HARMLESS = {
    *(*TYPES, "processor_class", "model_input_names", "return_tensors", "return_metadata", "disable_grouping"),
    *("data_format", "input_data_format", "device", "video_metadata", "image_seq_length", "do_convert_rgb"),
    *("pad_size", "num_frames", "fps"),  # of switches that are told of when they are on
}

Colours = tuple[float, float, float]
_HALF: tuple[Colours, Colours] = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
_IMAGENET: tuple[Colours, Colours] = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@dataclass(frozen=True)
class Family:
    """What the processors of one model do where their file says nothing (transformers 5.24).

    Args:
        pixels: mean and std.
        short_side: of the frames before the crop, in pixels.
        crops: whether a square in the middle is taken.
        squashes: whether one number for `size` means height and width, and not the short side.
        rescale: what pixels of 0 to 255 are multiplied by.
        offset: whether 1 is taken away from rescaled pixels.
    """

    pixels: tuple[Colours, Colours]
    short_side: int = 224
    crops: bool = True
    squashes: bool = False
    rescale: float = 1 / 255
    offset: bool = False


FAMILIES = {
    "timesformer": Family(_IMAGENET),
    "videomae": Family(_HALF),
    "VideoMAEv2": Family(_IMAGENET),
    "videoprism_vision_model": Family(((0.0,) * 3, (1.0,) * 3), short_side=288, crops=False, squashes=True),
    "vit": Family(_HALF, crops=False, squashes=True),
    "vjepa2": Family(_IMAGENET, short_side=292),
    "vivit": Family(_HALF, short_side=256, rescale=1 / 127.5, offset=True),
}
"""By the model's type, which is also how the names of their classes begin."""


@dataclass(frozen=True)
class _Size:
    """What `size` or `crop_size` says: exact sides, or the short one and no others."""

    height: int | None = None
    width: int | None = None
    short: int | None = None
    bounded: bool = False  # by a longest side

    @property
    def side(self) -> int | None:
        """The one number that it comes to; None where there are two."""
        return self.short if self.short else self.height if self.height == self.width else None


def preprocessing(
    folder: Path, kind: str, pixels: dict[str, list[float]], image_size: int | tuple[int, int]
) -> tuple[Preprocessing, list[str]]:
    """What the folder's processor does, and a line for each thing that is assumed, or done in another way here.

    A processor that scales pixels otherwise (ViViT's: to [-1, 1]) takes mean and std of that: they are put in terms of
    [0, 1].

    Args:
        folder: the model's.
        kind: the model's type.
        pixels: its mean and std where nothing says what they are.
        image_size: its own size.

    Raises:
        WeightsError: a value is of another kind than its switch takes.
    """
    found = _processor(folder)
    if found is None:
        usual = Preprocessing(image_size=image_size).with_pixels(**pixels)
        return usual, [_assumed(pixels, "its Hugging Face folder does not say")]
    named = next((name for key in TYPES if isinstance(name := found.raw(key), str)), "")
    known = re.sub(r"((Image|Video)Processor(Fast|Pil)?|FeatureExtractor)$", "", named).lower()
    family = FAMILIES[known if known in FAMILIES else kind]
    notes = []
    if named and known not in FAMILIES:
        notes.append(f"processor: {named} is not one that vidattn knows; followed as far as its file says")
    colours, lines = _colours(found, family, pixels, known in FAMILIES)
    sizes, more = _sizes(found, family, image_size)
    for key, value in found.rest(HARMLESS).items():
        more.append(f"{key}: its processor's is {str(value)[:40]}, which vidattn does not know and does not follow")
    return Preprocessing.from_dict({"image_size": image_size, **colours, **sizes}), [*notes, *lines, *more]


def _processor(folder: Path) -> Foreign | None:
    """What the first of the files says that holds one; keys that are null stand for the class's own values."""
    for name in FILES:
        if not (folder / name).is_file():
            continue
        found = Foreign(folder / name, read_json(folder / name))
        for several in ("video_processor", "image_processor"):
            if several in found and len(part := found.part(several)):
                return part
        if name != FILES[0]:
            return found.without_nulls()
    return None


def _colours(
    found: Foreign, family: Family, pixels: dict[str, list[float]], named: bool
) -> tuple[dict[str, list[float]], list[str]]:
    """HF's (pixel * rescale_factor - offset - mean) / std, with pixels of 0 to 255, for pixels in [0, 1]."""
    rescales, factor = found.switch("do_rescale", True), found.number("rescale_factor", family.rescale)
    offset = found.switch("offset", True) and family.offset and rescales
    scale = 255 * factor if rescales else 255.0
    usual = family.pixels if named else (_triple(pixels["mean"]), _triple(pixels["std"]))
    mean, std = found.colours("image_mean", usual[0]), found.colours("image_std", usual[1])
    notes = []
    if not found.switch("do_normalize", True):
        mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    elif "image_mean" not in found or "image_std" not in found:
        if not named:  # in terms of [0, 1] already
            return pixels, [_assumed(pixels, "its processor's file does not say")]
        notes.append(f"mean and std: {list(mean)} and {list(std)}, its processor's own; the file does not say")
    if min(std) <= 0:
        raise found.error("image_std", "numbers above 0")
    values = {"mean": [(one + offset) / scale for one in mean], "std": [one / scale for one in std]}
    return values, notes


def _sizes(found: Foreign, family: Family, image_size: int | tuple[int, int]) -> tuple[dict[str, Any], list[str]]:
    resizes, crops = found.switch("do_resize", True), found.switch("do_center_crop", family.crops)
    squashes = found.switch("default_to_square", family.squashes)
    size, crop = _size(found, "size", squashes), _size(found, "crop_size", True)
    if size is None:
        usual = family.short_side if image_size == 224 else image_size if isinstance(image_size, int) else None
        size = _Size(usual, usual) if squashes else _Size(short=usual)
    short = size.side if resizes else None
    side = crop.side if crop is not None and crops else short if not crops or image_size != 224 else 224
    values: dict[str, Any] = {}
    if side is not None:
        values["image_size"] = side
    if short is not None and short != side:
        values["short_side"] = short
    if crops:
        values["crop_rounding"] = "down"
    return values, _not_followed(found, size, crop if crops else None, resizes, crops)


def _not_followed(found: Foreign, size: _Size, crop: _Size | None, resizes: bool, crops: bool) -> list[str]:
    """What is done in another way here, a line each."""
    notes = []
    squashes = resizes and size.height is not None
    if not resizes:
        notes.append("resize: its processor leaves frames as large as they are, here all get the same short side")
    if squashes:
        notes.append(f"resize: its processor squashes frames to {size.height}x{size.width}, here they keep their shape")
    if resizes and size.bounded:
        notes.append("resize: its processor keeps the long side under a bound, here it is as long as it is")
    resample = found.whole("resample", _BILINEAR, least=0)
    if resizes and resample != _BILINEAR:
        name = FILTERS.get(resample, str(resample))
        notes.append(f"resize: its processor's is {name} (resample={resample}), here it is bilinear")
    if crop is not None and crop.side is None:
        notes.append(f"crop: its processor's is {crop.height}x{crop.width}, here it is a square")
    elif crop is not None and resizes and size.side and (crop.side or 0) > size.side:
        notes.append(
            f"crop: its processor puts black around frames of {size.side} pixels, here they are enlarged to {crop.side}"
        )
    if not crops and not squashes:
        notes.append("crop: its processor takes whole frames, here it is the square in their middle")
    if found.switch("do_pad", False):
        notes.append("pad: its processor puts a border around frames, here there is none")
    if found.switch("do_sample_frames", False):
        notes.append("frames: its processor chooses them (do_sample_frames), here the sampling does")
    if found.switch("do_flip_channel_order", False):
        notes.append("colours: its processor turns their order round, here it is red, green, blue")
    return notes


def _size(found: Foreign, key: str, squashes: bool) -> _Size | None:
    """What stands under `key`, in one of the forms that processors take; None where nothing does."""
    if key not in found:
        return None
    value = found.raw(key)
    if not isinstance(value, dict):
        height, width = found.sides(key, 0)
        return _Size(height, width) if squashes or isinstance(value, list) else _Size(short=height)
    part = found.part(key)
    longest = part.whole("longest_edge", 1) if "longest_edge" in part else None
    if "shortest_edge" in part and key == "size":
        return _Size(short=part.whole("shortest_edge", 1), bounded=longest is not None)
    if "height" in part and "width" in part:
        return _Size(part.whole("height", 1), part.whole("width", 1))
    if "max_height" in part and "max_width" in part:
        part.whole("max_height", 1), part.whole("max_width", 1)
        return _Size(bounded=True)
    raise found.error(key, "height and width" + (", or shortest_edge" if key == "size" else ""))


def _triple(values: list[float]) -> Colours:
    red, green, blue = values
    return red, green, blue


def _assumed(pixels: dict[str, list[float]], why: str) -> str:
    return f"mean and std: assumed {pixels['mean']} and {pixels['std']}, {why}"
