"""Reading a checkpoint of any kind; its content decides which kind it is, not its name."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from vidattn.checkpoints.files import CONFIG, INDEX, WEIGHTS, read_json, read_pieces, read_weights, tensors_of
from vidattn.checkpoints.foreign import Foreign
from vidattn.checkpoints.hf_config import check_kind, names_by_id
from vidattn.checkpoints.hub import local_path
from vidattn.checkpoints.native import Sides, floored
from vidattn.checkpoints.nearby import checkpoints_in, entries_of
from vidattn.checkpoints.processor import preprocessing
from vidattn.checkpoints.renaming import WeightsError
from vidattn.checkpoints.saved import Saved, saved_of
from vidattn.checkpoints.sources import (
    hiera,
    huggingface,
    pvt,
    timesformer,
    timm,
    timm_coatnet,
    timm_swin,
    torchvision_mvit,
    torchvision_swin,
    videomae,
    videomae_official,
    videoprism,
    vit,
    vivit,
    vjepa2,
    vjepa2_1,
    vjepa2_official,
)
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.videoprism import VideoPrismConfig

HF_MODELS: dict[str, tuple[Callable[[Foreign, dict[str, Tensor]], Saved], dict[str, list[float]]]] = {
    "timesformer": (huggingface.read, huggingface.PIXELS),
    "videomae": (videomae.read, videomae.PIXELS),
    "VideoMAEv2": (videomae_official.read_folder, videomae_official.PIXELS),
    "videoprism_vision_model": (videoprism.read, videoprism.PIXELS),
    "vit": (vit.read_huggingface, vit.PIXELS),
    "vivit": (vivit.read, vivit.PIXELS),
    "vjepa2": (vjepa2.read, vjepa2.PIXELS),
}
"""`model_type` in HF's `config.json` -> who reads it, and mean and std where the folder has no processor."""

OFFICIAL: list[tuple[Callable[[Any], bool], Callable[[dict[str, Any], Path], Saved]]] = [
    (torchvision_swin.recognises, torchvision_swin.read),
    (torchvision_mvit.recognises, torchvision_mvit.read),
    (hiera.recognises, hiera.read),
    (timm_swin.recognises, timm_swin.read),
    (timm_coatnet.recognises, timm_coatnet.read),
    (pvt.recognises, pvt.read),
    (vjepa2_1.recognises, vjepa2_1.read),
    (vjepa2_official.recognises, vjepa2_official.read),
    (videomae_official.recognises, videomae_official.read),
]
"""Files of their authors' own: whether what one holds is of a kind, and who reads it; the first that fits counts."""

KINDS = ("vidattn", "model_type", "architecture")
"""Keys that show whose configuration it is: ours, Hugging Face's, timm's."""


def read_checkpoint(source: str | Path, revision: str | None = None, asked: Sides | None = None) -> Saved:
    """What a file, a folder or a model on the hub holds, in our terms; see `vidattn.load`.

    A file that is named is the one that is read. Of a folder it is the model that was saved in it (`config.json` with
    its weights, safetensors before pickled ones), else the best weights of a run; `notes` say if it holds others too.

    Args:
        source: a path, or an id on the hub.
        revision: branch, tag or commit on the hub.
        asked: height and width in pixels that the network is wanted for: it may tell the shape of a table of positions
            where the file does not.

    Raises:
        WeightsError: it cannot be read, or vidattn does not know its kind.
    """
    path = local_path(source, revision)
    try:
        return _read_folder(path, asked) if path.is_dir() else _read_file(path, asked)
    except (ValueError, OSError) as error:  # what is no WeightsError yet comes from values that do not go together
        message = str(error)
        raise WeightsError(message if message.startswith(str(path)) else f"{source}: {message}") from error.__cause__


def _read_folder(path: Path, asked: Sides | None) -> Saved:
    best = path / "checkpoints" / "best.ckpt"
    held = [path / name for weights in WEIGHTS for name in (weights, f"{weights}{INDEX}") if (path / name).is_file()]
    if (path / CONFIG).is_file() and (held or not best.is_file()):
        if not held:
            found = ", ".join(entries_of(path)[:8])
            raise WeightsError(f"{path}: holds neither {' nor '.join(WEIGHTS)}, but {found}")
        others = [*held[1:], *([best] if best.is_file() else [])]
        return _told(_read_beside(held[0], read_json(path / CONFIG), asked), path, held[0], others)
    if best.is_file():  # the folder of a run
        return _told(_read_file(best, asked), path, best, held)
    raise WeightsError(
        f"a folder without config.json (of ours or Hugging Face's) or a run's checkpoints; {_next(path)}"
    )


def _told(saved: Saved, folder: Path, read: Path, others: list[Path]) -> Saved:
    """A line that says which weights of a folder were read, where it holds several."""
    if not others:
        return saved
    names = ", ".join(str(other.relative_to(folder)) for other in others)
    line = f"weights: those of {read.relative_to(folder)}; name another file of the folder to read it: {names}"
    return replace(saved, notes=[*saved.notes, line])


def _next(folder: Path) -> str:
    """What to give instead of a folder that is no checkpoint, or else what it holds."""
    if found := checkpoints_in(folder):
        return f"give {' or '.join(map(str, found[:4]))}{' ...' if len(found) > 4 else ''}"
    return f"holds {', '.join(entries_of(folder)[:8]) or 'nothing'}"


def _read_file(path: Path, asked: Sides | None) -> Saved:
    """The file that is named; `config.json` beside it where the file itself does not describe its network."""
    found = read_pieces(path) if path.name.endswith(INDEX) else read_weights(path)
    if isinstance(found, dict) and "vidattn" in found:
        state = tensors_of(found)
        prefix = "network."  # of what Lightning writes; beside it there may be more
        ours = {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
        others = {name: value for name, value in state.items() if ours and not name.startswith(prefix)}
        return saved_of(found["vidattn"], ours or state, others)
    if reader := next((read for recognises, read in OFFICIAL if recognises(found)), None):
        return reader(found, path)
    weights = tensors_of(found)
    official = (isinstance(found, dict) and "model_state" in found) or "time_embed" in weights
    beside = path.parent / CONFIG
    if weights and not official and beside.is_file():
        config = read_json(beside)
        if path.name.removesuffix(INDEX) in WEIGHTS or any(kind in config for kind in KINDS):
            return _configured(beside, config, weights, asked)
    if reader := next((read for recognises, read in OFFICIAL if recognises(found)), None):
        return reader(found, path)
    if official:
        return timesformer.read(weights, asked)
    if "patch_embed.proj.weight" in weights:
        return timm.read(Foreign(path, {}), weights, asked)
    if kind := next((one for one in HF_MODELS if any(name.startswith(f"{one}.") for name in weights)), None):
        raise WeightsError(f"weights of a Hugging Face {kind}; put its config.json beside them and load the folder")
    held = ", ".join(map(str, list(found)[:5])) if isinstance(found, dict) else type(found).__name__
    raise WeightsError(
        "neither a checkpoint of vidattn, nor an official file of TimeSformer, VideoMAE, V-JEPA 2, Hiera or PVT, nor a "
        f"Video Swin or MViTv2 of torchvision's, nor a ViT, Swin or CoAtNet of timm's; holds {held}"
    )


def _read_beside(path: Path, config: dict[str, Any], asked: Sides | None) -> Saved:
    """The weights `path` of a folder whose `config.json` describes their network."""
    weights = tensors_of(read_pieces(path) if path.name.endswith(INDEX) else read_weights(path))
    return _configured(path.parent / CONFIG, config, weights, asked)


def _configured(file: Path, config: dict[str, Any], weights: dict[str, Tensor], asked: Sides | None) -> Saved:
    """Weights that the configuration in `file` describes."""
    if "vidattn" in config:
        return saved_of(config["vidattn"], weights)
    about = Foreign(file, config)
    if "model_type" in about:
        return _read_huggingface(about, weights)
    if "architecture" in about:
        return timm.read(about.without_nulls(), weights, asked)
    raise WeightsError(f"config.json is neither vidattn's nor of a known model; holds {', '.join(list(config)[:8])}")


def _read_huggingface(config: Foreign, weights: dict[str, Tensor]) -> Saved:
    kind = config.raw("model_type")
    if isinstance(kind, str) and kind.startswith("VideoMAEv2_"):  # _Base and others
        kind = "VideoMAEv2"
    if not isinstance(kind, str) or kind not in HF_MODELS:
        raise WeightsError(f"a Hugging Face model of type {kind!r}; vidattn reads {', '.join(HF_MODELS)}")
    read, pixels = HF_MODELS[kind]
    check_kind(config)
    saved = read(config, weights)
    ours = saved.config
    prepared, notes = preprocessing(config.file.parent, kind, pixels, ours.picture)
    if isinstance(prepared.image_size, int):
        assert isinstance(ours, VideoTransformerConfig | VideoPrismConfig)  # as all that we read of others
        side, cut = floored("crop", prepared.image_size, ours.patch_size)
        prepared, notes = replace(prepared, image_size=side), [*notes, *cut]
    names, faults = ([], []) if "head.weight" not in saved.state else names_by_id(config, ours.num_classes)
    return replace(saved, class_names=names, preprocessing=prepared, notes=[*saved.notes, *notes, *faults])
