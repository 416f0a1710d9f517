"""Loading a network, or weights into one, from anywhere."""

import difflib
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from torch import nn

from vidattn.checkpoints.names import WeightsError
from vidattn.checkpoints.pretrained import Pretrained
from vidattn.checkpoints.read import read_checkpoint
from vidattn.checkpoints.saved import Saved
from vidattn.checkpoints.transfer.transfer import Inflation, transferred
from vidattn.mistakes import Mistake
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.network import NetworkConfig
from vidattn.preprocessing import Preprocessing, SamplingRule

Resize = Literal["smooth", "official"]


def load(
    source: str | Path,
    *,
    resize: Resize = "smooth",
    inflation: Inflation = "central",
    revision: str | None = None,
    **changes: Any,
) -> Pretrained:
    """The network that `source` holds, in evaluation mode, with class names, preprocessing and a report.

    `load("clips.ckpt", attention="joint", num_frames=16)` makes the network that the changes describe and takes over
    all that has a meaning in it. `report` of the result says what was resized, reset, left out or assumed, now or when
    the folder was written.

    Args:
        source: a folder that `save_pretrained` wrote, or its `model.safetensors`; a checkpoint or the folder of a
            `vidattn fit` run; an official TimeSformer `.pyth`; a Hugging Face TimeSformer, ViViT or VideoMAE
            (fine-tuned or pre-trained) or an image ViT of Hugging Face's or timm's: a folder or the id of a model on
            the hub (`timm/vit_base_patch16_224.augreg_in21k`), of timm's also the file. An image ViT becomes a network
            with divided attention unless `attention` says otherwise.
        resize: how tables get another size: bicubic in space and linear in time, or as TimeSformer's own code does
            (nearest, in a row), which reproduces its numbers.
        inflation: how a patch of one frame becomes a tubelet: on its central frame, or the average of its frames.
        revision: branch, tag or commit on the hub.
        changes: fields of `VideoTransformerConfig` that shall differ from the file's.

    Raises:
        TypeError: the source is no path and no id.
        WeightsError: the source cannot be read, is none of these, or does not fit the changes.
        ValueError: a change or an option is not valid, or there is none of that name.
    """
    _check_options(resize, inflation)
    changes = {name: tuple(value) if isinstance(value, list) else value for name, value in changes.items()}
    saved = read_checkpoint(source, revision, _sides(changes.get("image_size")))
    _check_fields(type(saved.config), changes)
    if saved.is_image:
        changes = {"attention": VideoTransformerConfig.attention} | changes
    config: NetworkConfig = replace(saved.config, **changes)  # type: ignore[type-var]
    return _filled(config.build(), config, saved, source, resize, inflation).eval()


def load_weights(
    network: nn.Module,
    config: NetworkConfig,
    source: str | Path,
    resize: Resize = "smooth",
    inflation: Inflation = "central",
) -> Pretrained:
    """Fill `network` from `source`; the report of the result says what was not taken over as it was.

    Another scheme takes over what has a meaning in both, tables of another size are resized, and a head of another
    number of classes keeps its fresh weights. Width, depth, heads and patches must be the same.

    Args:
        network: the network to fill, built from `config`.
        config: its configuration.
        source: see `load`.
        resize: see `load`.
        inflation: see `load`.

    Raises:
        WeightsError: the source cannot be read or does not fit; the network is untouched then.
        ValueError: an option is not valid.
    """
    _check_options(resize, inflation)
    return _filled(network, config, read_checkpoint(source, asked=config.size), source, resize, inflation)


def preprocessing_for(config: NetworkConfig, saved: Saved) -> Preprocessing:
    """The checkpoint's preprocessing, at the frames and the picture that `config` has."""
    found = saved.preprocessing
    if config.size != saved.config.size:
        found = replace(found, image_size=config.picture, short_side=None)
    if config.num_frames != saved.config.num_frames and found.sampling is not None:
        arguments = {**found.sampling.init_args, "num_frames": config.num_frames}
        found = replace(found, sampling=SamplingRule(found.sampling.class_path, arguments))
    return found


def _check_fields(kind: type[NetworkConfig], changes: dict[str, Any]) -> None:
    """Raise unless each of the changes is a field of the configuration."""
    known = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    for name in changes:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise Mistake(f"{name}={changes[name]!r}: a network has no such field; {meant}")


def _sides(size: Any) -> tuple[int, int] | None:
    """Height and width of an image size; None where there is none, or none that a configuration will take."""
    pair = size if isinstance(size, tuple) else (size, size)
    return pair if len(pair) == 2 and all(isinstance(side, int) and side > 0 for side in pair) else None


def _check_options(resize: str, inflation: str) -> None:
    for name, given, known in (("resize", resize, get_args(Resize)), ("inflation", inflation, get_args(Inflation))):
        if given not in known:
            raise Mistake(f"{name}={given!r} is unknown; choose one of {', '.join(known)}")


def _filled(
    network: nn.Module,
    config: NetworkConfig,
    saved: Saved,
    source: str | Path,
    resize: Resize,
    inflation: Inflation,
) -> Pretrained:
    try:
        state, report = transferred(saved, network, config, resize == "official", inflation)
    except WeightsError as error:
        raise WeightsError(f"{source} holds a {saved.config.title} network: {error}") from None
    same_head = "head.weight" in saved.state and config.num_classes == saved.config.num_classes
    names = saved.class_names if same_head else []
    model = Pretrained(network, names, preprocessing_for(config, saved), [*saved.notes, *report], str(source))
    network.load_state_dict(state)
    model.loaded_head = state["head.weight"].clone()
    model.beside = saved.beside
    return model
